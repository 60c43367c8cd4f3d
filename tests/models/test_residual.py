"""The residual unit: every placement against its formula, branches and shortcuts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from senet_repro.config.schema import PLACEMENTS
from senet_repro.models.residual import (
    ResidualUnit,
    basic_unit,
    bottleneck_unit,
    option_a,
    residual_stages,
)
from senet_repro.models.se import SEBlock, SEPlan

UNITS = {
    "bottleneck": lambda plan: bottleneck_unit(plan.at(2), 16, 32, stride=2, stride_on="conv1x1"),
    "basic": lambda plan: basic_unit(plan.at(2), 16, 32, stride=2),
}
FORMULAS: dict[str, Callable[[ResidualUnit, SEBlock, Tensor], Tensor]] = {
    "standard": lambda unit, se, x: torch.relu(se(unit.branch(x)) + unit.shortcut(x)),
    "pre": lambda unit, se, x: torch.relu(unit.branch(se(x)) + unit.shortcut(x)),
    "post": lambda unit, se, x: se(torch.relu(unit.branch(x) + unit.shortcut(x))),
    "identity": lambda unit, se, x: torch.relu(unit.branch(x) + se(unit.shortcut(x))),
    "conv3x3": lambda unit, se, x: torch.relu(branch_with_gate(unit.branch, se, x) + unit.shortcut(x)),
}
CHANNELS = {  # what each site gates: unit input 16, output 32, and the width of the (first) 3x3
    "bottleneck": {"standard": 32, "pre": 16, "post": 32, "identity": 32, "conv3x3": 8},
    "basic": {"standard": 32, "pre": 16, "post": 32, "identity": 32, "conv3x3": 32},
}


def branch_with_gate(branch: nn.Sequential, se: SEBlock, x: Tensor) -> Tensor:
    """Gate what leaves the convolution, BN and ReLU of the (first) 3x3."""
    *before, (conv, bn, relu), _, after = branch
    for layer in before:
        x = layer(x)
    assert conv.kernel_size == (3, 3)
    return after(se(relu(bn(conv(x)))))


def build(kind: str, placement: str) -> ResidualUnit:
    torch.manual_seed(0)
    return UNITS[kind](SEPlan(r=2, stages=(2,), placement=placement)).eval()


@pytest.mark.parametrize("kind", UNITS)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_unit_is_its_formula(kind: str, placement: str) -> None:
    unit = build(kind, placement)
    (se,) = (module for module in unit.modules() if isinstance(module, SEBlock))
    assert se.fc1.in_features == CHANNELS[kind][placement]
    x = torch.randn(2, 16, 7, 7)
    torch.testing.assert_close(unit(x), FORMULAS[placement](unit, se, x))
    assert unit(x).shape == (2, 32, 4, 4)


@pytest.mark.parametrize("kind", UNITS)
def test_sites_without_se_leave_no_trace(kind: str) -> None:
    plain = UNITS[kind](SEPlan(r=None, stages=(2,)))
    assert not any("fc" in key for key in plain.state_dict())
    assert set(plain.state_dict()) < set(build(kind, "post").state_dict())


@pytest.mark.parametrize(("stride_on", "strides"), [("conv1x1", [2, 1, 1]), ("conv3x3", [1, 2, 1])])
def test_stride_of_a_bottleneck(stride_on: str, strides: list[int]) -> None:
    unit = bottleneck_unit(SEPlan(r=None, stages=()).at(3), 16, 32, stride=2, stride_on=stride_on)
    convs = [module for module in unit.branch.modules() if isinstance(module, nn.Conv2d)]
    assert [conv.stride[0] for conv in convs] == strides


def test_projection_only_where_the_shape_changes() -> None:
    gate = SEPlan(r=None, stages=()).at(2)
    for in_channels, stride, kind in [(32, 1, nn.Identity), (16, 1, nn.Sequential), (32, 2, nn.Sequential)]:
        unit = bottleneck_unit(gate, in_channels, 32, stride, stride_on="conv1x1")
        assert type(unit.shortcut) is kind


def test_option_a_strides_and_appends_zero_channels() -> None:
    x = torch.randn(2, 3, 5, 5)
    out = option_a(3, 5, stride=2)(x)
    torch.testing.assert_close(out, torch.cat([x[:, :, ::2, ::2], torch.zeros(2, 2, 3, 3)], dim=1))
    assert option_a(3, 3, stride=1)(x) is x


def test_stages_double_the_width_and_halve_the_map() -> None:
    plan = SEPlan(r=None, stages=())
    stages = residual_stages(basic_unit, plan, (1, 2, 1), in_channels=4, out_channels=4)
    assert [(key, len(stage)) for key, stage in stages.items()] == [("2", 1), ("3", 2), ("4", 1)]
    x = torch.randn(2, 4, 8, 8)
    for stage, shape in zip(stages.values(), [(4, 8), (8, 4), (16, 2)], strict=True):
        x = stage(x)
        assert x.shape == (2, shape[0], shape[1], shape[1])
