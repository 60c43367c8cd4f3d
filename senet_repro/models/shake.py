"""Shake-Shake networks for CIFAR (Gastaldi 2017; Tables 4 and 5; models floor).

A unit has two branches, and what they give is mixed at random, anew for each image: a share alpha of the one in the
forward pass, a share beta of the gradient in the backward pass (equal shares for Shake-Even). In evaluation both
branches weigh one half.

The paper does not say where SE stands. `se_on=branch`, the default, puts a standard block at the end of each branch,
before the mix; `se_on=mix` puts one after it. The other placements are those of any residual unit (pre: one gate on
the input of both branches), but conv3x3 gates each branch. Where the shape changes, the shortcut takes every second
pixel twice, the second time shifted by one in both directions, for half of the channels each.

Their three stages are numbered 2, 3 and 4, as in cifar.py.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.models.layers import Classifier, LinearHead, conv, conv_bn, named
from senet_repro.models.registry import register
from senet_repro.models.residual import ResidualUnit, basic, bottleneck, residual_stages
from senet_repro.models.se import Gate, SEPlan

STAGES = (2, 3, 4)


@register(stages=STAGES)
def shake_shake26_2x96d(plan: SEPlan, classes: int, *, se_on: str = "branch") -> Classifier:
    """Return Shake-Shake-26 2x96d (Shake-Shake-Image): four basic units a stage, 26.2 M parameters.

    As in the author's code, branches and changing shortcuts begin with a ReLU, and none follows the sum.
    """
    stages = residual_stages(
        partial(basic_unit, se_on=se_on), plan, (4, 4, 4), in_channels=16, out_channels=96
    )
    head = named(relu=nn.ReLU(inplace=True), linear=LinearHead(384, classes))
    return Classifier(conv_bn(3, 16, 3, relu=False), stages, head)


@register(stages=STAGES)
def shake_even29_2x4x64d(plan: SEPlan, classes: int, *, se_on: str = "branch") -> Classifier:
    """Return Shake-Even-29 2x4x64d (Shake-Even-Image): three ResNeXt units a stage, 34.5 M parameters.

    No pre-activation: the ReLU follows the sum. The author's code for it is not public; the stem of 16 channels is
    the one that gives the published 34.4 M.
    """
    unit = partial(bottleneck_unit, se_on=se_on)
    stages = residual_stages(unit, plan, (3, 3, 3), in_channels=16, out_channels=256)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(1024, classes))


def basic_unit(
    gate: Gate, in_channels: int, out_channels: int, stride: int, *, se_on: str
) -> ResidualUnit:
    """Return a Shake-Shake-Image unit: two branches ReLU, 3x3, 3x3, and no ReLU after the sum."""

    def branch(ends: Gate) -> nn.Module:
        body = basic(gate, in_channels, out_channels, stride)
        return named(relu=nn.ReLU(), body=body, standard=ends("standard", out_channels))

    shortcut = shifted(in_channels, out_channels, stride)
    if not isinstance(shortcut, nn.Identity):
        shortcut = named(relu=nn.ReLU(), paths=shortcut)
    between, ends = _split(gate, se_on)
    mix = ShakeMix(branch(ends), branch(ends), even=False)
    return ResidualUnit(between, in_channels, out_channels, mix, shortcut, act=nn.Identity())


def bottleneck_unit(
    gate: Gate, in_channels: int, out_channels: int, stride: int, *, se_on: str
) -> ResidualUnit:
    """Return a Shake-Even-Image unit: two ResNeXt branches as wide as their output, in 4 groups."""

    def branch(ends: Gate) -> nn.Module:
        widths = (out_channels, out_channels)
        body = bottleneck(gate, in_channels, out_channels, stride, widths=widths, groups=4)
        return named(body=body, standard=ends("standard", out_channels))

    between, ends = _split(gate, se_on)
    mix = ShakeMix(branch(ends), branch(ends), even=True)
    return ResidualUnit(
        between, in_channels, out_channels, mix, shifted(in_channels, out_channels, stride)
    )


def _split(gate: Gate, se_on: str) -> tuple[Gate, Gate]:
    """The gates of the unit around the mix, and those of the branches' ends: one of the two has the standard site."""

    def other(site: str, channels: int) -> nn.Module:
        return nn.Identity() if site == "standard" else gate(site, channels)

    return (gate, other) if se_on == "mix" else (other, gate)


class ShakeMix(nn.Module):
    """Returns a mix of what two branches make of x, in shares drawn for each image; halves in evaluation."""

    def __init__(self, branch1: nn.Module, branch2: nn.Module, *, even: bool) -> None:
        super().__init__()
        self.branch1 = branch1
        self.branch2 = branch2
        self.even = even

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H', W') for x of (N, C, H, W)."""
        one, two = self.branch1(x), self.branch2(x)
        if not self.training:
            halves: Tensor = (one + two) / 2
            return halves
        alpha, beta = torch.rand(2, len(x), 1, 1, 1, device=x.device, dtype=one.dtype)
        mixed: Tensor = _Shake.apply(
            one, two, alpha, torch.full_like(beta, 0.5) if self.even else beta
        )
        return mixed


class _Shake(torch.autograd.Function):
    """alpha * one + (1 - alpha) * two, with the gradients of beta * one + (1 - beta) * two."""

    @staticmethod
    def forward(ctx: Any, one: Tensor, two: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(beta)
        return torch.lerp(two, one, alpha)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (grad,), (beta,) = grads, ctx.saved_tensors
        to_one = beta * grad
        return to_one, grad - to_one, None, None


class Shifted(nn.Module):
    """Returns every stride-th pixel, and the same of the image moved by one pixel right and down, each convolved."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.path1 = conv(in_channels, out_channels // 2, 1)
        self.path2 = conv(in_channels, out_channels // 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', ceil(H / stride), ceil(W / stride)) for x of (N, C, H, W)."""
        moved = F.pad(x, (1, -1, 1, -1))
        paths = [
            path(y[:, :, :: self.stride, :: self.stride])
            for path, y in ((self.path1, x), (self.path2, moved))
        ]
        return torch.cat(paths, dim=1)


def shifted(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return the two-path shortcut with BN where the shape changes, and nothing elsewhere."""
    if (in_channels, 1) == (out_channels, stride):
        return nn.Identity()
    return named(paths=Shifted(in_channels, out_channels, stride), bn=nn.BatchNorm2d(out_channels))
