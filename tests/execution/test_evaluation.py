"""What a pass of an evaluation is known by."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from senet_repro.config.schema import Run
from senet_repro.execution import evaluation, pass_facts, passes
from senet_repro.execution.target import Target
from tests.records import compose_once


def make_target(run: Run) -> Target:
    return Target(
        kind="run",
        run=run,
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


@pytest.mark.parametrize(
    ("tf32", "is_on_gpu", "expected"),
    [(True, True, {"tf32": True}), (True, False, {}), (False, True, {})],
)
def test_a_pass_in_tf32_is_another_one_where_a_gpu_rounds_to_it(
    tf32: bool, is_on_gpu: bool, expected: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pass_facts, "uses_gpu", lambda _trainer: is_on_gpu)
    run = compose_once()
    target = make_target(replace(run, trainer=replace(run.trainer, tf32=tf32)))
    described = pass_facts.describe_trainer(target)
    assert {name: described[name] for name in described if name == "tf32"} == expected


def test_an_evaluation_works_on_the_gpu_that_it_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    current: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(passes, "list_visible_gpus", lambda: ["4", "7"])
    monkeypatch.setattr(passes, "reserve_gpus", lambda _trainer: nullcontext(["7"]))
    monkeypatch.setattr(evaluation, "evaluate_passes", lambda _target, device, _share: [device])
    assert passes.make_passes(make_target(compose_once())) == [torch.device("cuda", 1)]
    assert current == [torch.device("cuda", 1)]
