"""Running out of memory ends with the setting that would help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from senet_repro.config.identity import run_dir
from senet_repro.core.errors import OutOfMemory
from senet_repro.results.store import read_status
from senet_repro.training.memory import explain_memory
from tests.training.runs import SMALL, small


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
@pytest.mark.parametrize(
    ("overrides", "mend"),
    [
        ([], "256 images at a time on a device: give trainer.accumulate=2"),
        (
            ["trainer.accumulate=2", "trainer.devices=2"],
            "64 images at a time on a device: give trainer.accumulate=4",
        ),
        (
            ["recipe.batch_size=27", "trainer.accumulate=3"],
            "9 images at a time on a device: give trainer.accumulate=9",
        ),
        (["trainer.graph=true"], "give trainer.graph=false and trainer.accumulate=2"),
        (["trainer.accumulate=256"], "1 image at a time: give a device with more memory"),
    ],
)
def test_the_mend_is_the_next_finer_division(
    error: Exception, overrides: list[str], mend: str, tmp_path: Path
) -> None:
    with pytest.raises(OutOfMemory, match=mend), explain_memory(small(tmp_path, *overrides)):
        raise error


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="of shape"), explain_memory(small(tmp_path)):
        raise RuntimeError("of shape (3,)")


LIMITED = """
import resource, sys
import torch
import pytorch_lightning
import sklearn.datasets
from senet_repro.cli.main import main
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), -1))
sys.argv = ["senet_repro", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
def test_a_run_that_does_not_fit_fails_with_advice(tmp_path: Path) -> None:
    overrides = ["recipe.batch_size=1280", "model=resnet29", "trainer.threads=1"]
    command = [*SMALL, *overrides, f"results_dir={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert (
        "out of memory with 1280 images at a time on a device: give trainer.accumulate=2"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
    status = read_status(run_dir(small(tmp_path, *overrides)))
    assert (status["state"], "trainer.accumulate=2" in status["reason"]) == ("failed", True)
