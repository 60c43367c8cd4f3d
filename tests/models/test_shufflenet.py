"""ShuffleNet: its channel shuffle and its groups (test_residual.py has the units)."""

from __future__ import annotations

import torch
from torch import nn

from senet_repro.models import create_model
from senet_repro.models.residual import ResidualUnit
from senet_repro.models.se import SEPlan
from senet_repro.models.shufflenet import Shuffle, shuffle_unit


def test_channel_i_of_group_g_moves_to_i_times_groups_plus_g() -> None:
    x = torch.arange(6.0).view(1, 6, 1, 1).expand(2, 6, 4, 4)
    assert Shuffle(3)(x)[0, :, 0, 0].tolist() == [0, 2, 4, 1, 3, 5]


def test_only_the_first_1x1_is_not_grouped() -> None:
    with torch.device("meta"):
        units = [m for m in create_model("shufflenet").modules() if isinstance(m, ResidualUnit)]
    assert [unit.branch.reduce.conv.groups for unit in units] == [1] + [3] * 15
    assert [unit.branch.increase.conv.groups for unit in units] == [3] * 16
    assert [unit.branch.reduce.conv.out_channels for unit in units] == [60] * 4 + [120] * 8 + [
        240
    ] * 4
    assert all(
        unit.branch.depthwise.conv.groups == unit.branch.depthwise.conv.in_channels
        for unit in units
    )


def test_units_that_halve_the_map_average_their_shortcut() -> None:
    with torch.device("meta"):
        stages = create_model("shufflenet").stages
    for stage in stages.values():
        assert [type(unit.shortcut) for unit in stage] == [nn.AvgPool2d] + [nn.Identity] * (
            len(stage) - 1
        )


def test_no_relu_follows_the_depthwise_convolution() -> None:
    assert not any(
        isinstance(module, nn.ReLU)
        for module in shuffle_unit(
            SEPlan(r=None, bias=True, stages=()).at_stage(2), 240, 240
        ).branch.depthwise
    )
