"""TF32 and deterministic algorithms are what the trainer asks for, in force while a run trains and no longer."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from typing import Any

import pytest
import torch

from senet_repro.config.schema import Trainer
from senet_repro.training.numerics import set_numerics
from tests.records import compose_once

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
SWITCHES = ("convolutions", "products", "benchmark", "cudnn", "torch", "warns", "fills")


def read_switches() -> dict[str, Any]:
    cudnn: Any = torch.backends.cudnn
    return {
        "convolutions": cudnn.allow_tf32,
        "products": torch.get_float32_matmul_precision(),
        "benchmark": cudnn.benchmark,
        "cudnn": cudnn.deterministic,
        "torch": torch.are_deterministic_algorithms_enabled(),
        "warns": torch.is_deterministic_algorithms_warn_only_enabled(),
        "fills": torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
    }


@pytest.mark.parametrize(
    ("squeeze", "trainer", "is_on_gpu", "expected"),
    [
        ("avg", {}, True, (False, "highest", True, False, False, False, True)),
        ("avg", {"tf32": True}, True, (True, "high", True, False, False, False, True)),
        ("avg", {"deterministic": True}, True, (False, "highest", False, True, True, False, False)),
        # A squeeze by maximum has a fixed order, although torch says of its gradient that it has none.
        ("max", {"deterministic": True}, True, (False, "highest", False, True, True, True, False)),
        ("avg", {"tf32": True}, False, None),
        (
            "avg",
            {"deterministic": True},
            False,
            (True, "highest", False, False, True, False, False),
        ),
    ],
)
def test_switches_are_set_for_a_run_and_restored(
    squeeze: str,
    trainer: dict[str, bool],
    is_on_gpu: bool,
    expected: tuple[Any, ...] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Deleted by way of a value, so that it is deleted again in the end.
    monkeypatch.setenv(CUBLAS, "")
    del os.environ[CUBLAS]
    before = read_switches()
    run = replace(compose_once(), squeeze=squeeze, trainer=Trainer(**trainer))
    with warnings.catch_warnings(), set_numerics(run, is_on_gpu):
        within = read_switches()
        assert os.environ.get(CUBLAS) == (":4096:8" if is_on_gpu else None)
    assert within == (before if expected is None else dict(zip(SWITCHES, expected, strict=True)))
    assert read_switches() == before


def test_a_run_that_fails_restores_them_too() -> None:
    before = read_switches()
    run = replace(compose_once(), trainer=Trainer(deterministic=True))
    with pytest.raises(RuntimeError, match="memory"), set_numerics(run, is_on_gpu=False):
        raise RuntimeError("memory")
    assert read_switches() == before
