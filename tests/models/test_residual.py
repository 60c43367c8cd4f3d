"""The residual unit of every family: each placement against its formula; branches and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from senet_repro.config.schema import PLACEMENTS
from senet_repro.models import inception_resnet, preact, shake
from senet_repro.models.layers import Branches, conv_bn
from senet_repro.models.residual import (
    ResidualUnit,
    Unit,
    basic_unit,
    bottleneck_unit,
    option_a_shortcut,
    residual_stages,
)
from senet_repro.models.resnet import resnext_unit, senet_unit
from senet_repro.models.se import Gate, SEBlock, SEPlan
from senet_repro.models.shake import ShakeMix
from senet_repro.models.shufflenet import shuffle_unit

Map = Callable[[Tensor], Tensor]
Merge = Callable[[Tensor, Tensor], Tensor]


class Kind(NamedTuple):
    """A unit, what it makes of shortcut and residual, and its gates; it strides where it changes the channels."""

    unit: Unit
    merge: Merge
    channels: tuple[int, ...]  # of the gate at standard, pre, post, identity and conv3x3
    conv3x3: str  # the layer of the branch that the gate follows
    standard: str | None = None  # the same, where the standard gate is the branch's own

    def build(self, placement: str, r: int | None = 2) -> nn.Module:
        torch.manual_seed(0)
        _, into, out, *_ = self.channels
        unit = self.unit(
            SEPlan(r=r, bias=True, stages=(2,), placement=placement).at_stage(2),
            into,
            out,
            1 if into == out else 2,
        )
        unit(3 * torch.randn(8, into, 7, 7) + 1)  # moves the running statistics of each BN
        return unit.eval()


def relu_of_sum(shortcut: Tensor, residual: Tensor) -> Tensor:
    return torch.relu(shortcut + residual)


def relu_of_scaled_sum(shortcut: Tensor, residual: Tensor) -> Tensor:
    return torch.relu(shortcut + 0.17 * residual)


def relu_of_concat(shortcut: Tensor, residual: Tensor) -> Tensor:
    return torch.relu(torch.cat([shortcut, residual], dim=1))


def inception_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    branches = Branches(conv1x1=conv_bn(in_channels, 4, 1), conv3x3=conv_bn(in_channels, 8, 3))
    return inception_resnet.scaled_unit(gate, in_channels, branches, 12, scale=0.17)


def shufflenet_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    return shuffle_unit(gate, in_channels, out_channels)


BOTTLENECK = partial(bottleneck_unit, stride_on="conv1x1")
RESNEXT = partial(resnext_unit, stride_on="conv3x3")
SHAKE, SHAKE_MIX = (partial(shake.basic_unit, se_on=se_on) for se_on in ("branch", "mix"))
EVEN, EVEN_MIX = (partial(shake.bottleneck_unit, se_on=se_on) for se_on in ("branch", "mix"))
KINDS = {
    "bottleneck": Kind(BOTTLENECK, relu_of_sum, (32, 16, 32, 32, 8), "conv3x3"),
    "basic": Kind(basic_unit, relu_of_sum, (32, 16, 32, 32, 32), "conv1"),
    "resnext": Kind(RESNEXT, relu_of_sum, (64, 32, 64, 64, 32), "conv3x3"),
    "senet": Kind(senet_unit, relu_of_sum, (128, 64, 128, 128, 128), "conv3x3"),
    "preact-basic": Kind(preact.projected_unit, torch.add, (16, 16, 16, 16, 16), "preact2"),
    "preact-basic-changing": Kind(
        preact.projected_unit, torch.add, (32, 16, 32, 32, 32), "preact2"
    ),
    "preact-padded": Kind(preact.padded_unit, torch.add, (32, 16, 32, 32, 32), "preact2"),
    "preact-opening": Kind(preact.opening_unit, torch.add, (16, 16, 16, 16, 16), "preact2"),
    "preact-bottleneck": Kind(preact.bottleneck_unit, torch.add, (32, 32, 32, 32, 8), "preact3"),
    "preact-bottleneck-changing": Kind(
        preact.bottleneck_unit, torch.add, (32, 16, 32, 32, 8), "preact3"
    ),
    "inception": Kind(inception_unit, relu_of_scaled_sum, (16, 16, 16, 16, 12), "branches"),
    "shuffle": Kind(shufflenet_unit, relu_of_sum, (36, 36, 36, 36, 9), "depthwise"),
    "shuffle-concatenating": Kind(
        shufflenet_unit, relu_of_concat, (60, 36, 96, 36, 24), "depthwise"
    ),
    "shake": Kind(SHAKE, torch.add, (16, 16, 16, 16, 16), "conv1", "body"),
    "shake-changing": Kind(SHAKE, torch.add, (16, 8, 16, 16, 16), "conv1", "body"),
    "shake-mix": Kind(SHAKE_MIX, torch.add, (16, 8, 16, 16, 16), "conv1"),
    "even": Kind(EVEN, relu_of_sum, (16, 16, 16, 16, 16), "conv3x3", "body"),
    "even-changing": Kind(EVEN, relu_of_sum, (16, 8, 16, 16, 16), "conv3x3", "body"),
    "even-mix": Kind(EVEN_MIX, relu_of_sum, (16, 8, 16, 16, 16), "conv3x3"),
}
FORMULAS: dict[str, Callable[[Merge, Map, Map, Map, Tensor], Tensor]] = {
    "standard": lambda merge, shortcut, branch, se, x: merge(shortcut(x), se(branch(x))),
    "pre": lambda merge, shortcut, branch, se, x: merge(shortcut(x), branch(se(x))),
    "post": lambda merge, shortcut, branch, se, x: se(merge(shortcut(x), branch(x))),
    "identity": lambda merge, shortcut, branch, se, x: merge(se(shortcut(x)), branch(x)),
    "in the branch": lambda merge, shortcut, branch, se, x: merge(shortcut(x), branch(x)),
}


def through(branch: nn.Module, gated: str | None, x: Tensor) -> Tensor:
    """What a branch makes of x layer by layer, with its gate right after the layer called `gated`."""
    if isinstance(branch, ShakeMix):
        return sum(through(layers, gated, x) for layers in (branch.branch1, branch.branch2)) / 2
    layers = dict(branch.named_children())
    gate = layers.pop("standard" if gated == "body" else "gate", None)
    for name, layer in layers.items():
        x = through(layer, gated, x) if name == "body" else layer(x)
        if name == gated:
            assert isinstance(gate, SEBlock)
            x = gate(x)
    return x


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_unit_is_its_formula(kind: Kind, placement: str) -> None:
    channels = dict(zip(PLACEMENTS, kind.channels, strict=True))
    unit = kind.build(placement)
    blocks = [module for module in unit.modules() if isinstance(module, SEBlock)]
    assert {block.fc1.in_features for block in blocks} == {channels[placement]}
    x = torch.randn(2, channels["pre"], 7, 7)
    out = unit(x)
    assert out.shape == (
        2,
        channels["post"],
        *([7, 7] if channels["pre"] == channels["post"] else [4, 4]),
    )

    if isinstance(unit, nn.Sequential):  # pre-activation that branch and shortcut share
        preact, unit = unit
        x = torch.relu(preact.bn(x))
    gated = {"conv3x3": kind.conv3x3, "standard": kind.standard}.get(placement)
    formula = FORMULAS["in the branch" if gated else placement]
    assert len(blocks) == (2 if gated and isinstance(unit.branch, ShakeMix) else 1)
    torch.testing.assert_close(
        out, formula(kind.merge, unit.shortcut, partial(through, unit.branch, gated), blocks[0], x)
    )


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_sites_without_se_leave_no_trace(kind: Kind) -> None:
    plain = kind.build("standard", r=None).state_dict()
    assert not any("fc" in key for key in plain)
    for placement in PLACEMENTS:
        assert set(plain) < set(kind.build(placement).state_dict())


@pytest.mark.parametrize(
    ("unit", "strides"),
    [
        (basic_unit, [2, 1]),
        (BOTTLENECK, [2, 1, 1]),
        (partial(bottleneck_unit, stride_on="conv3x3"), [1, 2, 1]),
        (partial(resnext_unit, stride_on="conv1x1"), [2, 1, 1]),
        (RESNEXT, [1, 2, 1]),
        (senet_unit, [1, 2, 1]),
        (preact.projected_unit, [2, 1]),
        (preact.padded_unit, [2, 1]),
        (preact.bottleneck_unit, [2, 1, 1]),
    ],
)
def test_stride_of_a_branch(unit: Unit, strides: list[int]) -> None:
    modules = unit(SEPlan(r=None, bias=True, stages=()).at_stage(3), 64, 128, 2).named_modules()
    convs = [
        module
        for name, module in modules
        if isinstance(module, nn.Conv2d) and "shortcut" not in name
    ]
    assert [conv.stride[0] for conv in convs] == strides


def test_projection_only_where_the_shape_changes() -> None:
    gate = SEPlan(r=None, bias=True, stages=()).at_stage(2)
    for in_channels, stride, kind in [
        (32, 1, nn.Identity),
        (16, 1, nn.Sequential),
        (32, 2, nn.Sequential),
    ]:
        unit = BOTTLENECK(gate, in_channels, 32, stride)
        assert type(unit.shortcut) is kind


def test_option_a_strides_and_appends_zero_channels() -> None:
    x = torch.randn(2, 3, 5, 5)
    out = option_a_shortcut(3, 5, stride=2)(x)
    torch.testing.assert_close(out, torch.cat([x[:, :, ::2, ::2], torch.zeros(2, 2, 3, 3)], dim=1))
    assert option_a_shortcut(3, 3, stride=1)(x) is x


def test_the_first_unit_of_all_may_be_another_than_the_rest() -> None:
    plan = SEPlan(r=None, bias=True, stages=())
    units = (2, 1)
    stages = residual_stages(preact.padded_unit, plan, units, 4, 4, first_unit=preact.opening_unit)
    kinds = [type(unit) for stage in stages.values() for unit in stage]
    assert kinds == [nn.Sequential, ResidualUnit, ResidualUnit]


def test_stages_double_the_width_and_halve_the_map() -> None:
    plan = SEPlan(r=None, bias=True, stages=())
    stages = residual_stages(basic_unit, plan, (1, 2, 1), in_channels=4, out_channels=4)
    assert [(key, len(stage)) for key, stage in stages.items()] == [("2", 1), ("3", 2), ("4", 1)]
    x = torch.randn(2, 4, 8, 8)
    for stage, shape in zip(stages.values(), [(4, 8), (8, 4), (16, 2)], strict=True):
        x = stage(x)
        assert x.shape == (2, shape[0], shape[1], shape[1])
