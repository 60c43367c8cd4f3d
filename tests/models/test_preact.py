"""Pre-activation networks: what stands around their units (test_residual.py has the units)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_repro.models import create_model


@pytest.mark.parametrize("name", ["resnet110", "resnet164", "wrn16_8"])
def test_a_bare_convolution_begins_and_bn_and_relu_end_the_network(name: str) -> None:
    with torch.device("meta"):
        net = create_model(name, 10, r=None)
    assert type(net.stem) is nn.Conv2d
    assert [type(layer) for layer in net.head.preact] == [nn.BatchNorm2d, nn.ReLU]


def test_the_classifier_sees_the_average_of_the_activated_stream() -> None:
    head = create_model("resnet110", 10, r=None, stages="none").head.eval()
    head.preact.bn.running_mean.fill_(0.3)
    x = torch.randn(2, 64, 8, 8)
    z = torch.relu((x - 0.3) / (1 + 1e-5) ** 0.5).mean((2, 3))
    torch.testing.assert_close(head(x), head.linear.fc(z))
