"""What ResNet, ResNeXt and SENet-154 have beyond their units: stems, projections and the stride's place."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_repro.models import create_model
from senet_repro.models.registry import model_info


def skeleton(name: str, **options: str) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, **options)


def test_senet154_projects_with_3x3_where_the_map_shrinks_and_with_1x1_in_stage_2() -> None:
    stages = skeleton("senet154").stages
    kernels = {
        stage: [
            m.kernel_size[0]
            for unit in units
            for m in unit.shortcut.modules()
            if isinstance(m, nn.Conv2d)
        ]
        for stage, units in stages.items()
    }
    assert kernels == {"2": [1], "3": [3], "4": [3], "5": [3]}


def test_senet154_begins_with_three_3x3_convolutions() -> None:
    convs = [
        module for module in skeleton("senet154").stem.modules() if isinstance(module, nn.Conv2d)
    ]
    assert [(conv.kernel_size[0], conv.stride[0], conv.out_channels) for conv in convs] == [
        (3, 2, 64),
        (3, 1, 64),
        (3, 1, 128),
    ]


@pytest.mark.parametrize(
    ("name", "stride_on"),
    [("resnet50", "conv1x1"), ("resnet152", "conv1x1"), ("resnext50", "conv3x3")],
)
def test_each_network_strides_where_the_published_one_does(name: str, stride_on: str) -> None:
    assert model_info(name).options["stride_on"] == stride_on
    branch = skeleton(name).stages["3"][0].branch
    strides = {key: branch.get_submodule(key).conv.stride[0] for key in ("reduce", "conv3x3")}
    assert strides == {"reduce": 1, "conv3x3": 1} | {
        "reduce" if stride_on == "conv1x1" else "conv3x3": 2
    }


def test_both_stem_pools_halve_and_only_the_padded_one_sees_beyond_the_edge() -> None:
    x = torch.randn(2, 64, 112, 112)
    unpadded, padded = (
        skeleton("resnet50", stem_pool=pool).stem.pool(x) for pool in ("unpadded", "padded")
    )
    assert unpadded.shape == padded.shape == (2, 64, 56, 56)
    assert unpadded[0, 0, 0, 0] == x[0, 0, :3, :3].max()
    assert unpadded[0, 0, -1, -1] == x[0, 0, -2:, -2:].max()  # overhangs
    assert padded[0, 0, 0, 0] == x[0, 0, :2, :2].max()
    assert padded[0, 0, -1, -1] == x[0, 0, -3:, -3:].max()
    assert not unpadded.equal(padded)
