"""The layers that families share."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_repro.models.layers import (
    Branches,
    Kernel,
    LinearHead,
    concat_channels,
    conv,
    conv_bn,
    group_by_stage,
    halving_pool,
)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, (1, 7), (7, 1)])
@pytest.mark.parametrize(("stride", "side"), [(1, 9), (2, 5)])
def test_convolutions_keep_the_map_or_halve_it(kernel: Kernel, stride: int, side: int) -> None:
    assert conv(3, 4, kernel, stride)(torch.randn(1, 3, 9, 9)).shape == (1, 4, side, side)


def test_options_of_a_convolution() -> None:
    layer = conv_bn(6, 4, 3, relu=False, padding=0, groups=2, bias=True)
    assert [type(module) for module in layer] == [nn.Conv2d, nn.BatchNorm2d]
    assert layer(torch.randn(2, 6, 9, 9)).shape == (2, 4, 7, 7)
    assert layer.conv.weight.shape == (4, 3, 3, 3)
    assert layer.conv.bias is not None
    assert conv(6, 4, 3).bias is None


@pytest.mark.parametrize(("side", "halved"), [(112, 56), (16, 8), (7, 3), (2, 1)])
def test_halving_pool_overhangs_an_even_edge(side: int, halved: int) -> None:
    x = torch.arange(side**2, dtype=torch.float32).view(1, 1, side, side)
    out = halving_pool()(x)
    assert out.shape == (1, 1, halved, halved)
    assert out[0, 0, -1, -1] == side**2 - 1


def test_branches_and_concat_keep_the_order() -> None:
    x = torch.randn(2, 3, 4, 4)
    both = torch.cat([x, x.relu()], dim=1)
    torch.testing.assert_close(Branches(x=nn.Identity(), relu=nn.ReLU())(x), both)
    torch.testing.assert_close(concat_channels(x, x.relu()), both)


def test_units_are_sorted_into_stages() -> None:
    units = [nn.ReLU(), nn.Tanh(), nn.Sigmoid()]
    stages = group_by_stage(zip((3, 3, 5), units, strict=True))
    assert {key: list(stage) for key, stage in stages.items()} == {"3": units[:2], "5": units[2:]}


def test_head_averages_and_drops_in_training_only() -> None:
    torch.manual_seed(0)
    head, x = LinearHead(64, 10, dropout=0.2), torch.randn(2, 64, 3, 5)
    assert not head(x).equal(head(x))
    torch.testing.assert_close(head.eval()(x), head.fc(x.mean((2, 3))))
