"""Layers that several families share, and the one forward from images to logits (models floor)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Kernel = int | tuple[int, int]

# Added to the variance by batch normalisation: the value of torch and of Caffe, in which the released models ran.
BN_EPSILON = 1e-5


def named(**modules: nn.Module) -> nn.Sequential:
    """Return the modules in sequence, each under its own name in the state_dict."""
    return nn.Sequential(OrderedDict(modules))


def conv(
    in_channels: int,
    out_channels: int,
    kernel: Kernel,
    stride: int = 1,
    *,
    bias: bool = False,
    **options: Any,
) -> nn.Conv2d:
    """Return a convolution of odd `kernel`, padded so that stride 1 keeps H and W unless `padding` says otherwise."""
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    # Half of an odd kernel on each side keeps the map; the Inception networks give some layers no padding.
    options.setdefault("padding", (height // 2, width // 2))
    return nn.Conv2d(in_channels, out_channels, kernel, stride, bias=bias, **options)


def conv_bn(
    in_channels: int,
    out_channels: int,
    kernel: Kernel,
    stride: int = 1,
    *,
    relu: bool = True,
    bn_epsilon: float = BN_EPSILON,
    **options: Any,
) -> nn.Sequential:
    """Return convolution, batch normalisation and, if asked for, ReLU: (N, C, H, W) -> (N, C', H', W').

    `options` are those of `conv`: padding, groups, bias.
    """
    layers = named(
        conv=conv(in_channels, out_channels, kernel, stride, **options),
        bn=nn.BatchNorm2d(out_channels, eps=bn_epsilon),
    )
    if relu:
        layers.add_module("relu", nn.ReLU(inplace=True))
    return layers


def bn_relu(channels: int) -> nn.Sequential:
    """Return batch normalisation and ReLU, as pre-activation has them before a convolution."""
    return named(bn=nn.BatchNorm2d(channels), relu=nn.ReLU(inplace=True))


def halving_pool() -> nn.MaxPool2d:
    """Return Caffe's 3x3 maximum of stride 2: no padding, and a last window that may overhang the edge."""
    return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


def group_by_stage(units: Iterable[tuple[int, nn.Module]]) -> nn.ModuleDict:
    """Return (stage, unit) pairs as stages in sequence, keyed by their number as text."""
    stages: dict[str, list[nn.Module]] = {}
    for stage, unit in units:
        # torch takes only text for a key.
        stages.setdefault(str(stage), []).append(unit)
    sequences = {key: nn.Sequential(*row) for key, row in stages.items()}
    return nn.ModuleDict(sequences)


class Branches(nn.Module):
    """Returns the channels of all its branches, one after another: (N, C, H, W) -> (N, sum of C', H', W')."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of all branches for x, joined along the channels."""
        outputs = [branch(x) for branch in self.children()]
        return torch.cat(outputs, dim=1)


class LinearHead(nn.Module):
    """Returns logits (N, classes) of feature maps (N, C, H, W): global average, dropout, linear layer (Table 1)."""

    def __init__(self, channels: int, num_classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes) for x of (N, C, H, W)."""
        averaged = x.mean((2, 3))
        logits: Tensor = self.fc(self.dropout(averaged))
        return logits


class Classifier(nn.Module):
    """Returns logits (N, classes) of images (N, 3, H, W): stem, stages in order, head.

    `stages` is keyed by the stage number as text: "2" is conv2_x. `create_model` adds `name` and
    `options`, from which it built the network.
    """

    name: str
    options: dict[str, str]

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


@dataclass(frozen=True)
class Sum:
    """Returns the shortcut and `factor` times the residual, added."""

    factor: float = 1.0

    def __call__(self, shortcut: Tensor, residual: Tensor) -> Tensor:
        """Return the sum, in the shape of both."""
        return torch.add(shortcut, residual, alpha=self.factor)


Join = Callable[[Tensor, Tensor], Tensor]
"""Makes one of (shortcut, residual) at the end of a residual unit."""


def concat_channels(shortcut: Tensor, residual: Tensor) -> Tensor:
    """Return the channels of both, the shortcut's first."""
    return torch.cat([shortcut, residual], dim=1)
