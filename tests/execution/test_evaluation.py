"""What a pass of an evaluation is known by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.execution import evaluation
from senet_repro.execution.target import Target
from tests.records import compose_once


@pytest.mark.parametrize(
    ("tf32", "is_on_gpu", "expected"),
    [(True, True, {"tf32": True}), (True, False, {}), (False, True, {})],
)
def test_a_pass_in_tf32_is_another_one_where_a_gpu_rounds_to_it(
    tf32: bool, is_on_gpu: bool, expected: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "uses_gpu", lambda _trainer: is_on_gpu)
    run = compose_once()
    target = Target(
        kind="run",
        run=replace(run, trainer=replace(run.trainer, tf32=tf32)),
        fingerprint=None,
        folder=Path(),
        checkpoint=None,
        weights={},
        trained_by=None,
        trained_px=8,
        rules=[],
        interpolation="bilinear",
        antialias=True,
        published_by=None,
    )
    described = evaluation._describe_trainer(target)
    assert {name: described[name] for name in described if name == "tf32"} == expected
