"""A sweep whose runs take turns on a GPU says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.schema import Run, Trainer
from senet_repro.training import time_slices
from senet_repro.training.time_slices import describe_time_slices


@pytest.fixture(scope="module")
def a_run() -> Run:
    return compose([])


@pytest.mark.parametrize(
    ("gpus", "visible", "accelerator", "has_mps", "side_by_side", "shares"),
    [
        (1, None, "auto", False, 12, "12 runs at a time share 1 GPU in time slices"),
        (4, "0,1", "gpu", False, 3, "3 runs at a time share 2 GPUs in time slices"),
        (1, None, "auto", True, 12, None),
        (1, None, "cpu", False, 12, None),
        (0, None, "auto", False, 12, None),
        (1, "", "auto", False, 12, None),
        (4, None, "auto", False, 4, None),
        (1, None, "auto", False, 1, None),
    ],
)
def test_runs_that_take_turns_on_a_gpu_are_told_of(
    gpus: int,
    visible: str | None,
    accelerator: str,
    has_mps: bool,
    side_by_side: int,
    shares: str | None,
    a_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(gpus):
        (tmp_path / "gpus" / str(number)).mkdir(parents=True)
    monkeypatch.setattr(time_slices, "DRIVER_GPUS", tmp_path / "gpus")
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    if has_mps:
        (tmp_path / "control").touch()
    run = replace(a_run, trainer=Trainer(accelerator=accelerator))
    line = describe_time_slices([run] * 3, side_by_side)
    assert (line or "").startswith(shares or "")
    assert (line is None) == (shares is None)
