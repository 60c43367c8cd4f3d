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
from senet_repro.models.registry import register_network
from senet_repro.models.residual import (
    ResidualUnit,
    basic_branch,
    bottleneck_branch,
    keeps_shape,
    residual_stages,
    skip_pixels,
)
from senet_repro.models.se import Gate, SEPlan


@register_network
def shake_shake26_2x96d(plan: SEPlan, classes: int, *, se_on: str) -> Classifier:
    """Return Shake-Shake-26 2x96d (Shake-Shake-Image): four basic units a stage, 26.2 M parameters.

    As in the author's code, branches and changing shortcuts begin with a ReLU, and none follows the sum.
    """
    unit = partial(basic_unit, se_on=se_on)
    stages = residual_stages(unit, plan, (4, 4, 4), in_channels=16, out_channels=96)
    stem = conv_bn(3, 16, 3, relu=False)
    head = named(relu=nn.ReLU(inplace=True), linear=LinearHead(384, classes))
    return Classifier(stem, stages, head)


@register_network
def shake_even29_2x4x64d(plan: SEPlan, classes: int, *, se_on: str) -> Classifier:
    """Return Shake-Even-29 2x4x64d (Shake-Even-Image): three ResNeXt units a stage, 34.5 M parameters.

    No pre-activation: the ReLU follows the sum. The author's code for it is not public; the stem of 16 channels is
    the one that gives the published 34.4 M.
    """
    unit = partial(bottleneck_unit, se_on=se_on)
    stages = residual_stages(unit, plan, (3, 3, 3), in_channels=16, out_channels=256)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(1024, classes))


def basic_unit(
    gate: Gate,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    se_on: str,
) -> ResidualUnit:
    """Return a Shake-Shake-Image unit: two branches ReLU, 3x3, 3x3, and no ReLU after the sum."""
    mix = ShakeMix(
        _relu_branch(gate, in_channels, out_channels, stride, se_on),
        _relu_branch(gate, in_channels, out_channels, stride, se_on),
        even=False,
    )
    shortcut = shifted_shortcut(in_channels, out_channels, stride)
    if not keeps_shape(in_channels, out_channels, stride):
        shortcut = named(relu=nn.ReLU(), paths=shortcut)
    unit_gate = _gate_around_mix(gate, se_on)
    return ResidualUnit(unit_gate, in_channels, out_channels, mix, shortcut, act=nn.Identity())


def bottleneck_unit(
    gate: Gate,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    se_on: str,
) -> ResidualUnit:
    """Return a Shake-Even-Image unit: two ResNeXt branches as wide as their output, in 4 groups."""
    mix = ShakeMix(
        _resnext_branch(gate, in_channels, out_channels, stride, se_on),
        _resnext_branch(gate, in_channels, out_channels, stride, se_on),
        even=True,
    )
    shortcut = shifted_shortcut(in_channels, out_channels, stride)
    unit_gate = _gate_around_mix(gate, se_on)
    return ResidualUnit(unit_gate, in_channels, out_channels, mix, shortcut)


def _relu_branch(
    gate: Gate,
    in_channels: int,
    out_channels: int,
    stride: int,
    se_on: str,
) -> nn.Sequential:
    # Not in place: both branches and the shortcut read the same input.
    return named(
        relu=nn.ReLU(),
        body=basic_branch(gate, in_channels, out_channels, stride),
        standard=_gate_of_branch(gate, se_on, out_channels),
    )


def _resnext_branch(
    gate: Gate,
    in_channels: int,
    out_channels: int,
    stride: int,
    se_on: str,
) -> nn.Sequential:
    widths = (out_channels, out_channels)
    body = bottleneck_branch(gate, in_channels, out_channels, stride, widths=widths, groups=4)
    return named(body=body, standard=_gate_of_branch(gate, se_on, out_channels))


# The standard site stands once: at the end of each branch, or behind the mix of both.


def _gate_of_branch(gate: Gate, se_on: str, channels: int) -> nn.Module:
    """Return what stands at the end of a branch."""
    if se_on == "mix":
        return nn.Identity()
    return gate("standard", channels)


def _gate_around_mix(gate: Gate, se_on: str) -> Gate:
    """Return the gates of the unit around the mix, without the standard one where the branches have it."""

    def gate_other_sites(site: str, channels: int) -> nn.Module:
        if site == "standard":
            return nn.Identity()
        return gate(site, channels)

    return gate if se_on == "mix" else gate_other_sites


class ShakeMix(nn.Module):
    """Returns a mix of what two branches make of x, in shares drawn for each image; halves in evaluation."""

    def __init__(self, branch1: nn.Module, branch2: nn.Module, *, even: bool) -> None:
        super().__init__()
        self.branch1 = branch1
        self.branch2 = branch2
        self.even = even

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H', W') for x of (N, C, H, W)."""
        one = self.branch1(x)
        two = self.branch2(x)
        if not self.training:
            halves: Tensor = (one + two) / 2
            return halves
        # Both are drawn for Shake-Even too, which keeps its random numbers those of Shake-Shake.
        shape = (2, len(x), 1, 1, 1)
        alpha, beta = torch.rand(shape, device=x.device, dtype=one.dtype)
        if self.even:
            beta = torch.full_like(beta, 0.5)
        mixed: Tensor = _Shake.apply(one, two, alpha, beta)
        return mixed


class _Shake(torch.autograd.Function):
    """alpha * one + (1 - alpha) * two, with the gradients of beta * one + (1 - beta) * two."""

    @staticmethod
    def forward(ctx: Any, one: Tensor, two: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(beta)
        return torch.lerp(two, one, alpha)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (grad,) = grads
        (beta,) = ctx.saved_tensors
        to_one = beta * grad
        to_two = grad - to_one
        # The shares themselves learn nothing.
        return to_one, to_two, None, None


class Shifted(nn.Module):
    """Returns every stride-th pixel, and the same of the image moved by one pixel right and down, each convolved."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.path1 = conv(in_channels, out_channels // 2, 1)
        self.path2 = conv(in_channels, out_channels // 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', ceil(H / stride), ceil(W / stride)) for x of (N, C, H, W)."""
        # A row and a column of zeros come in at the top left, as many leave at the bottom right.
        moved = F.pad(x, (1, -1, 1, -1))
        output1 = self.path1(skip_pixels(x, self.stride))
        output2 = self.path2(skip_pixels(moved, self.stride))
        return torch.cat([output1, output2], dim=1)


def shifted_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return the two-path shortcut with BN where the shape changes, and nothing elsewhere."""
    if keeps_shape(in_channels, out_channels, stride):
        return nn.Identity()
    return named(
        paths=Shifted(in_channels, out_channels, stride),
        bn=nn.BatchNorm2d(out_channels),
    )
