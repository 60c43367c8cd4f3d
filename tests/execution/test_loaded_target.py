"""A network that is loaded computes as the one that was trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.execution import loaded_target
from senet_repro.models import network_of
from senet_repro.training import bf16
from tests.execution.test_evaluation import make_target
from tests.records import compose_once


@pytest.mark.parametrize("is_trained", [False, True], ids=["first weights", "trained weights"])
def test_bf16_is_eased_wherever_the_weights_come_from(
    is_trained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bf16, "has_bf16_kernels", lambda: False)
    monkeypatch.setattr(loaded_target, "load_weights", lambda run, _path: network_of(run))
    run = compose_once()
    run = replace(run, trainer=replace(run.trainer, precision="bf16-mixed"))
    target = replace(make_target(run), checkpoint=Path("last.ckpt") if is_trained else None)
    net = loaded_target._load_network(target)
    assert any(isinstance(layer, bf16.RoundedConv2d) for layer in net.modules())
