"""BN-Inception: its ten modules."""

from __future__ import annotations

import torch
from torch import nn

from senet_repro.models import create_model
from senet_repro.models.bn_inception import MODULES, count_channels, inception_branches


def modules() -> list[nn.Sequential]:
    with torch.device("meta"):
        return [
            module for stage in create_model("bn_inception").stages.values() for module in stage
        ]


def test_se_takes_the_concatenated_output_of_every_module() -> None:
    torch.manual_seed(0)
    widths = [256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024]
    assert [module.standard.fc1.in_features for module in modules()] == widths
    assert all(
        [name for name, _ in module.named_children()] == ["branches", "standard"]
        for module in modules()
    )


def test_pools_are_averages_but_in_the_last_module_and_where_the_map_halves() -> None:
    pools = [
        m
        for module in modules()
        for m in module.modules()
        if isinstance(m, nn.AvgPool2d | nn.MaxPool2d)
    ]
    assert [(type(pool), pool.stride) for pool in pools] == [
        (nn.MaxPool2d, 2)
        if number in (3, 8)
        else (nn.MaxPool2d, 1)
        if number == 10
        else (nn.AvgPool2d, 1)
        for number in range(1, 11)
    ]


def test_a_halving_module_passes_its_pooled_input_on() -> None:
    branches, channels = inception_branches(MODULES[2], 320), count_channels(MODULES[2], 320)
    x = torch.randn(2, 320, 28, 28)
    out = branches.eval()(x)
    assert out.shape == (2, channels, 14, 14) == (2, 576, 14, 14)
    assert out[:, -320:].equal(nn.functional.max_pool2d(x, 3, 2, ceil_mode=True))
