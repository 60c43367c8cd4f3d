"""On a CPU without kernels for bf16 a network computes what bf16 is, by float32 arithmetic."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from senet_repro.config.schema import Run
from senet_repro.models.se import PositionwiseLinear, SEBlock
from senet_repro.training import bf16
from senet_repro.training.bf16 import ROUNDED, RoundedConv2d, RoundedLinear, ease_bf16
from senet_repro.training.fit import build_network
from tests.records import compose_once

# One unit in the last place of bf16, which has 8 bits of mantissa: sums in another order may fall on either side.
LAST_PLACE = 2**-7

Layer = nn.Conv2d | nn.Linear

LAYERS: list[tuple[Layer, tuple[int, ...]]] = [
    (nn.Conv2d(8, 6, 3, padding=1, bias=False), (2, 8, 5, 5)),
    (nn.Conv2d(8, 6, 3, stride=2, padding=1, groups=2), (2, 8, 5, 5)),
    (nn.Linear(8, 6), (2, 8)),
    (PositionwiseLinear(8, 6), (2, 8, 5, 5)),
]


def run_of(**trainer: Any) -> Run:
    run = compose_once("protocol=cifar10", "data.px=16")
    return replace(run, trainer=replace(run.trainer, accelerator="cpu", **trainer))


@pytest.fixture
def _slow_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bf16, "has_bf16_kernels", lambda: False)


def compute(layer: nn.Module, values: Tensor) -> list[Tensor]:
    """The output of a layer under autocast, and the gradients of its input and parameters."""
    layer.zero_grad()
    given = values.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        output = layer(given)
    generator = torch.Generator().manual_seed(1)
    output.backward(torch.randn(output.shape, generator=generator).bfloat16())
    found = [output.detach(), given.grad, *(weights.grad for weights in layer.parameters())]
    assert all(isinstance(one, Tensor) for one in found)
    return [one.clone() for one in found if one is not None]


@pytest.mark.usefixtures("_slow_bf16")
@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_rounds_where_autocast_rounds(layer: Layer, shape: tuple[int, ...]) -> None:
    # With one draw in ten torch's own loop, which rounds parts of sums too, is farther from the exact gradient.
    torch.manual_seed(1)
    layer.reset_parameters()
    values = torch.randn(shape)
    native = compute(layer, values)
    before = type(layer)
    ease_bf16(run_of(precision="bf16-mixed"), layer)
    assert isinstance(layer, RoundedConv2d | RoundedLinear)
    eased = compute(layer, values)
    layer.__class__ = before
    for one, other in zip(native, eased, strict=True):
        assert one.dtype == other.dtype
        # Each gradient and output is one of bf16's values.
        assert torch.equal(other.float(), other.bfloat16().float())
        scale = one.abs().max().float()
        assert (one.float() - other.float()).abs().max() <= LAST_PLACE * scale


@pytest.mark.usefixtures("_slow_bf16")
@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_every_sum_is_exact_but_for_its_last_rounding(layer: Layer, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer.reset_parameters()
    values = torch.randn(shape).bfloat16().float()
    with torch.no_grad():
        for weights in layer.parameters():
            weights.copy_(weights.bfloat16())
    exact = compute(copy.deepcopy(layer).double(), values.double())
    eased = copy.deepcopy(layer)
    ease_bf16(run_of(precision="bf16-mixed"), eased)
    for one, other in zip(exact, compute(eased, values), strict=True):
        torch.testing.assert_close(other.double(), one, rtol=LAST_PLACE / 2, atol=1e-5)


@pytest.mark.usefixtures("_slow_bf16")
@pytest.mark.parametrize("layer", [nn.Conv2d(3, 4, 3), nn.Linear(5, 4), PositionwiseLinear(3, 4)])
@pytest.mark.parametrize(("dtype", "has_autocast"), [("float32", False), ("float64", True)])
def test_nothing_is_rounded_that_autocast_leaves_alone(
    layer: nn.Module, dtype: str, has_autocast: bool
) -> None:
    values = torch.randn(2, 3, 5, 5, dtype=getattr(torch, dtype))
    plain = copy.deepcopy(layer).to(values.dtype)
    eased = copy.deepcopy(plain)
    ease_bf16(run_of(precision="bf16-mixed"), eased)
    assert isinstance(eased, RoundedConv2d | RoundedLinear)
    with torch.autocast("cpu", torch.bfloat16, enabled=has_autocast):
        assert torch.equal(eased(values), plain(values))


@pytest.mark.parametrize(
    ("trainer", "has_kernels", "is_eased"),
    [
        ({"precision": "bf16-mixed"}, False, True),
        ({"precision": "bf16-mixed"}, True, False),
        ({"precision": "32-true"}, False, False),
    ],
)
def test_only_bf16_without_kernels_is_eased(
    trainer: dict[str, Any],
    has_kernels: bool,
    is_eased: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bf16, "has_bf16_kernels", lambda: has_kernels)
    net = build_network(run_of(**trainer))
    kinds = {type(layer) for layer in net.modules()}
    assert kinds.isdisjoint(ROUNDED) == is_eased
    assert kinds.isdisjoint(ROUNDED.values()) != is_eased
    blocks = [layer for layer in net.modules() if isinstance(layer, SEBlock)]
    assert {type(block.fc1) in ROUNDED.values() for block in blocks} == {is_eased}


def list_layer_kinds(kind: type[nn.Module]) -> list[type[nn.Module]]:
    """Return a kind of layer and all kinds derived from it that the package's networks are built of."""
    kinds = [kind]
    for derived in kind.__subclasses__():
        kinds += list_layer_kinds(derived)
    return [one for one in kinds if one is kind or one.__module__.startswith("senet_repro.models.")]


def test_every_kind_of_layer_that_multiplies_has_a_rounded_form() -> None:
    # The package of the networks imports every one of them.
    kinds = [*list_layer_kinds(nn.Conv2d), *list_layer_kinds(nn.Linear)]
    assert PositionwiseLinear in kinds
    assert [kind for kind in kinds if kind not in ROUNDED] == []


@pytest.mark.usefixtures("_slow_bf16")
def test_an_eased_network_keeps_its_first_weights_and_their_names() -> None:
    eased = build_network(run_of(precision="bf16-mixed")).state_dict()
    plain = build_network(run_of(precision="32-true")).state_dict()
    assert list(eased) == list(plain)
    for name, weights in plain.items():
        assert torch.equal(eased[name], weights)


@pytest.mark.skipif(not bf16.has_bf16_kernels(), reason="the kernels are not on this processor")
def test_the_kernels_of_this_processor_are_taken() -> None:
    net = build_network(run_of(precision="bf16-mixed"))
    assert not any(isinstance(layer, RoundedConv2d) for layer in net.modules())
