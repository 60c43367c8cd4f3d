"""VGG-16: where its SE blocks stand, and its head at any input."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_repro.models import create_model
from senet_repro.models.se import SEBlock
from senet_repro.models.vgg import VggHead


def test_each_block_follows_a_relu_and_stands_before_the_pooling() -> None:
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, SEBlock, nn.MaxPool2d)
    with torch.device("meta"):
        stages = create_model("vgg16").stages
    for key, convolutions in zip("12345", (2, 2, 3, 3, 3), strict=True):
        blocks = [module for module in stages[key].modules() if isinstance(module, SEBlock)]
        inner = {id(module) for block in blocks for module in block.children()}
        layers = [
            type(m) for m in stages[key].modules() if isinstance(m, kinds) and id(m) not in inner
        ]
        assert layers == list(kinds[:4]) * convolutions + [nn.MaxPool2d]


@pytest.mark.parametrize("input_px", [32, 96, 224, 256])
def test_logits_at_any_input(input_px: int) -> None:
    with torch.device("meta"):
        logits = create_model("vgg16", 10).eval()(torch.empty(2, 3, input_px, input_px))
    assert logits.shape == (2, 10)


def test_head_averages_any_map_to_7x7_and_drops_in_training_only() -> None:
    torch.manual_seed(0)
    head = VggHead(10)
    x = torch.randn(2, 512, 7, 7)
    assert not head(x).equal(head(x))
    logits = head.eval()(x)
    torch.testing.assert_close(
        logits,
        head.fc3(torch.relu(head.fc2(torch.relu(head.fc1(x.flatten(1)))))),
        rtol=1e-4,
        atol=1e-5,
    )
    large = torch.randn(2, 512, 14, 21)
    averaged = head(nn.functional.avg_pool2d(large, (2, 3)))
    torch.testing.assert_close(head(large), averaged, rtol=1e-4, atol=1e-5)
    one = x[..., :1, :1]
    torch.testing.assert_close(head(one), head(one.expand_as(x)), rtol=1e-4, atol=1e-5)
