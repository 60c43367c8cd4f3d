"""MobileNet: its separable_unit convolution and where SE stands in it."""

from __future__ import annotations

import torch

from senet_repro.models.mobilenet import separable_unit
from senet_repro.models.se import SEPlan


def test_se_follows_the_relu_of_the_pointwise_convolution() -> None:
    torch.manual_seed(0)
    block = separable_unit(SEPlan(r=4, bias=True, stages=(3,)).at_stage(3), 8, 16, stride=2).eval()
    x = torch.randn(2, 8, 7, 7)
    depthwise, pointwise, se = block
    assert depthwise.conv.weight.shape == (8, 1, 3, 3)
    y = torch.relu(depthwise.bn(depthwise.conv(x)))
    y = torch.relu(pointwise.bn(pointwise.conv(y)))
    assert y.shape == (2, 16, 4, 4)
    torch.testing.assert_close(block(x), se(y))
