"""Layers that every family shares, and the one forward from images to logits (models floor)."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


def named(**modules: nn.Module) -> nn.Sequential:
    """Return the modules in sequence, each under its own name in the state_dict."""
    return nn.Sequential(OrderedDict(modules))


def conv_bn(in_channels: int, out_channels: int, kernel: int, stride: int = 1, *, relu: bool = True) -> nn.Sequential:
    """Return convolution, batch normalisation and, if asked for, ReLU: (N, C, H, W) -> (N, C', H', W').

    `kernel` is odd and padded so that stride 1 keeps H and W; the convolution has no bias.
    """
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    bn = nn.BatchNorm2d(out_channels)
    return named(conv=conv, bn=bn, relu=nn.ReLU(inplace=True)) if relu else named(conv=conv, bn=bn)


class LinearHead(nn.Module):
    """Returns logits (N, classes) of feature maps (N, C, H, W): global average and linear layer (Table 1)."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes) for x of (N, C, H, W)."""
        # A mean, not an adaptive pool: the cost counter takes adaptive pools for squeezes (cost.py).
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


class Classifier(nn.Module):
    """Returns logits (N, classes) of images (N, 3, H, W): stem, stages in order, head.

    `stages` is keyed by the paper's stage number as text: "2" is conv2_x.
    """

    def __init__(self, stem: nn.Module, stages: nn.ModuleDict, head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.stages = stages
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) for images of (N, 3, H, W)."""
        x = self.stem(images)
        for stage in self.stages.values():
            x = stage(x)
        logits: Tensor = self.head(x)
        return logits
