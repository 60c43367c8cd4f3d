"""Inception-ResNet-v2: the scale of each unit, its last unit, and the whole network against another's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import timm
import torch
from torch import nn

from senet_repro.models import create_model
from senet_repro.models.inception_resnet import unit_8px, unit_17px, unit_35px
from senet_repro.models.residual import ResidualUnit
from senet_repro.models.se import Gate, SEPlan
from tests.models.networks import randomise_statistics


@pytest.mark.parametrize(
    ("build", "channels", "width", "scale"),
    [(unit_35px, 320, 128, 0.17), (unit_17px, 1088, 384, 0.1), (unit_8px, 2080, 448, 0.2)],
)
def test_se_comes_before_the_scale(
    build: Callable[[Gate], nn.Module], channels: int, width: int, scale: float
) -> None:
    torch.manual_seed(0)
    gate: Gate = SEPlan(r=16, bias=True, stages=(3,)).at_stage(3)
    unit = build(gate).eval()
    x = torch.randn(2, channels, 5, 5)
    concatenated = unit.branch.branches(x)
    assert concatenated.shape == (2, width, 5, 5)
    increase = unit.branch.increase
    assert increase.bias is not None
    torch.testing.assert_close(
        unit(x), torch.relu(x + scale * unit.standard(increase(concatenated)))
    )


def test_only_the_last_unit_has_neither_scale_nor_relu() -> None:
    with torch.device("meta"):
        units = [
            m
            for m in create_model("inception_resnet_v2", r=None).modules()
            if isinstance(m, ResidualUnit)
        ]
    one = torch.ones(())
    scales = [round(float(unit.join(one, one)) - 1, 6) for unit in units]
    assert scales == [0.17] * 10 + [0.1] * 20 + [0.2] * 9 + [1.0]
    assert [type(unit.act) for unit in units] == [nn.ReLU] * 39 + [nn.Identity]


def test_the_average_of_the_stem_leaves_its_padding_out() -> None:
    with torch.device("meta"):
        stem = create_model("inception_resnet_v2").stem
    (pool,) = (module for module in stem.modules() if isinstance(module, nn.AvgPool2d))
    assert not pool.count_include_pad


@pytest.mark.slow
def test_the_usual_definition_gives_the_logits_of_timm() -> None:
    torch.manual_seed(0)
    ours = create_model("inception_resnet_v2", 10, r=None, stem="slim").eval()
    randomise_statistics(ours)
    with torch.device("meta"):
        theirs = timm.create_model("inception_resnet_v2", num_classes=10).eval()
    # Both list their layers in the order of the forward pass.
    tensors = dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True))
    theirs.load_state_dict(tensors, assign=True)
    images = torch.randn(2, 3, 107, 107)
    with torch.no_grad():
        expected = theirs(images)
        difference = (ours(images) - expected).abs().max()
    assert difference <= 1e-5 * expected.abs().max()
