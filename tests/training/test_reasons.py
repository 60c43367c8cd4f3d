"""What torch fails of is said with the setting that would help."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from senet_repro.config.composition import compose
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.training.reasons import explain_failure


class CompilerError(RuntimeError):
    """An error of torch's compiler."""


CompilerError.__module__ = "torch._inductor.exc"


@pytest.fixture(scope="module")
def run() -> Run:
    return compose(["recipe.batch_size=4", "trainer.accumulate=4"])


@pytest.mark.parametrize(
    ("error", "kind", "mend"),
    [
        (CompilerError("No working C++ compiler found"), ConfigError, "install g++"),
        (CompilerError("LoweringException: no\nmore"), RunFailed, r"\(LoweringException: no\)"),
        (
            RuntimeError("The server socket has failed to bind (errno: 98 - EADDRINUSE)"),
            RunFailed,
            "took port 4711, where the devices were to meet: give the same command again",
        ),
    ],
)
def test_an_error_names_the_mend(
    error: Exception,
    kind: type[Exception],
    mend: str,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASTER_PORT", "4711")
    with pytest.raises(kind, match=mend), explain_failure(run):
        raise error


def test_of_damaged_code_in_the_cache_the_folder_to_delete_is_named(run: Run) -> None:
    folder = Path(run.results_dir).absolute() / ".cache" / "compiled"
    error = CompilerError(
        f"backend='inductor' raised:\nImportError: {folder}/o7/c.so: invalid ELF header\n\nmore"
    )
    told = rf"\(ImportError: {folder}/o7/c\.so: invalid ELF header\): delete {folder} and give"
    with pytest.raises(RunFailed, match=told), explain_failure(run):
        raise error


def test_one_value_per_channel_is_a_batch_or_an_image_that_is_too_small(run: Run) -> None:
    with (
        pytest.raises(ConfigError, match=r"1 image at a time .* give a larger recipe\.batch_size"),
        explain_failure(run),
    ):
        nn.BatchNorm2d(2)(torch.ones(1, 2, 1, 1))


def test_any_other_error_stays_what_it_is(run: Run) -> None:
    with pytest.raises(RuntimeError, match="of shape"), explain_failure(run):
        raise RuntimeError("of shape (3,)")
