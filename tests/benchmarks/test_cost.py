"""SE's cost and timm's network: what is timed is right, and is what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from senet_repro.benchmarks import cost, network_settings, peers
from senet_repro.benchmarks.cost import measure_cost
from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.network_settings import take_device
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.peers import measure_peers
from senet_repro.benchmarks.timing import Setting, time_calls
from senet_repro.core.errors import ConfigError
from senet_repro.models import scale
from senet_repro.models.se import SEBlock

CPU = "trainer.accelerator=cpu"


def ask_for(*overrides: str) -> BenchOptions:
    return BenchOptions(overrides=(CPU, *overrides), is_quick=True)


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[Setting]:
    """Let networks be built and not called."""
    settings: list[Setting] = []

    def prepare(_net: object, setting: Setting) -> Any:
        settings.append(setting)
        return lambda: None

    monkeypatch.setattr(network_settings, "has_bf16_kernels", lambda: True)
    for module in (cost, peers):
        monkeypatch.setattr(module, "prepare_training", prepare)
        monkeypatch.setattr(module, "prepare_inference", prepare)
        monkeypatch.setattr(module, "time_calls", lambda *_call: 1.0)
    return settings


def test_cost_is_that_of_both_precisions_and_of_one_image(timed: list[Setting]) -> None:
    measured = measure_cost(ask_for("model=resnet11"))
    found = {(setting.precision, setting.batch, setting.px) for setting in timed}
    assert found == {(word, batch, 32) for word in ("32-true", "bf16-mixed") for batch in (1, 2)}
    assert len(measured) == len(timed) / 2 == 6
    assert measured[0].what == "training step, SE-resnet11, batch 2, 32 px, 32-true, one CPU core"
    assert measured[0].yardstick == "the network without SE"
    assert "gradients" in measured[0].check


def test_the_blocks_are_those_that_were_asked_for() -> None:
    with take_device(ask_for("model=resnet11", "squeeze=max", "r=4")) as plan:
        with_se, without = (cost.build_network(plan, with_se) for with_se in (True, False))
    blocks = [module for module in with_se.modules() if isinstance(module, SEBlock)]
    assert {type(block.squeeze) for block in blocks} == {torch.nn.AdaptiveMaxPool2d}
    width, channels = next(iter(blocks[0].fc1.parameters())).shape[:2]
    assert channels == 4 * width
    assert not any(isinstance(module, SEBlock) for module in without.modules())


@pytest.mark.parametrize(("measure", "count"), [(measure_cost, 3), (measure_peers, 2)])
def test_a_cpu_without_kernels_for_bf16_is_timed_in_float32_alone_and_that_is_told(
    measure: Callable[[BenchOptions], list[Measurement]],
    count: int,
    timed: list[Setting],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(network_settings, "has_bf16_kernels", lambda: False)
    assert len(measure(ask_for())) == count
    assert {setting.precision for setting in timed} == {"32-true"}
    assert "bf16 is left out: this CPU has no kernels for it" in capsys.readouterr().err


def test_a_gpu_is_timed_in_bf16_first_and_there_compiled_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network_settings, "has_bf16_kernels", lambda: True)
    with take_device(ask_for("model=resnet11")) as plan:
        on_gpu = replace(plan, device=torch.device("cuda"))
        assert cost._list_ways(plan, is_quick=False) == [("32-true", False), ("bf16-mixed", False)]
    assert cost._list_ways(on_gpu, is_quick=False) == [
        ("bf16-mixed", False),
        ("bf16-mixed", True),
        ("32-true", False),
    ]


@pytest.mark.faults
def test_a_step_and_an_inference_are_timed() -> None:
    options = ask_for("model=resnet11", "recipe.batch_size=1")
    assert all(measured.ours > 0 for measured in measure_cost(options))


def test_a_wrong_gradient_of_the_gate_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = scale.sum_products
    monkeypatch.setattr(scale, "sum_products", lambda a, b: 1.0001 * right(a, b))
    with pytest.raises(RuntimeError, match="gradients of the gate"):
        measure_cost(ask_for("model=resnet11"))


def test_both_networks_of_the_comparison_drop_the_same_units() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(192, 10)).double()
    setting = Setting(device=torch.device("cpu"), precision="64-true", batch=2, px=8)
    once, again = (cost._find_gradients(net, setting) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))


def test_a_gradient_that_is_0_but_for_rounding_is_no_disagreement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = iter((1e-17, -2e-17))
    monkeypatch.setattr(
        cost, "_find_gradients", lambda *_: [torch.ones(1), torch.full((1,), next(noise))]
    )
    with take_device(ask_for("model=resnet11")) as plan:
        assert "gradients" in cost.check_gradients(plan)


@pytest.mark.faults
def test_a_rehearsal_compares_gradients_on_as_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def find_gradients(_net: nn.Module, setting: Setting) -> list[torch.Tensor]:
        compared.append(setting.px)
        return [torch.ones(1)]

    monkeypatch.setattr(cost, "_find_gradients", find_gradients)
    with take_device(ask_for()) as plan:
        cost.check_gradients(plan)
        assert plan.px < cost.CHECK_PX
    assert compared == [cost.CHECK_PX] * 2


def test_the_peer_computes_the_same_and_is_timed_alike(timed: list[Setting]) -> None:
    measured = measure_peers(ask_for())
    assert [setting.precision for setting in timed] == ["32-true"] * 4 + ["bf16-mixed"] * 4
    assert {one.goal for one in measured} == {0.95}
    assert "logits of both, with timm's weights" in measured[0].check


def test_the_peer_has_one_network() -> None:
    with pytest.raises(ConfigError, match="leave model=resnet11 out"):
        measure_peers(ask_for("model=resnet11"))


def test_timm_is_asked_for_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="timm, is not installed; pip install timm"):
        measure_peers(ask_for())


def test_a_figure_is_that_of_one_call() -> None:
    called: list[int] = []
    assert time_calls(lambda: called.append(1), torch.device("cpu"), 3) >= 0
    assert len(called) == 3
