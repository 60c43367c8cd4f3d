"""ResNet, ResNeXt and SENet-154 for ImageNet (sections 4 and 5.1, Table 1; models floor).

All have four stages, 2 to 5, and offer the five placements. In the published counts a ResNet strides in the first 1x1
of a bottleneck, a ResNeXt and SENet-154 in the 3x3, and so do the released models. Their stems pool without padding;
torchvision's pad, `stem_pool="padded"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import nn

from senet_repro.models.layers import Classifier, LinearHead, conv_bn, halving_pool, named
from senet_repro.models.registry import register_network
from senet_repro.models.residual import (
    ResidualUnit,
    Unit,
    bottleneck_branch,
    bottleneck_unit,
    project_shortcut,
    residual_stages,
)
from senet_repro.models.se import Gate, SEPlan

UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Units of the stages 2 to 5, by depth."""


@register_network
def resnet50(plan: SEPlan, classes: int, *, stride_on: str, stem_pool: str) -> Classifier:
    """Return ResNet-50: 25.6 M parameters, 3.86 G multiply-adds (3.86 in Table 2)."""
    unit = partial(bottleneck_unit, stride_on=stride_on)
    return _build_network(plan, classes, unit, UNITS[50], stem_pool)


@register_network
def resnet101(plan: SEPlan, classes: int, *, stride_on: str, stem_pool: str) -> Classifier:
    """Return ResNet-101: 44.5 M parameters, 7.57 G multiply-adds (7.58 in Table 2)."""
    unit = partial(bottleneck_unit, stride_on=stride_on)
    return _build_network(plan, classes, unit, UNITS[101], stem_pool)


@register_network
def resnet152(plan: SEPlan, classes: int, *, stride_on: str, stem_pool: str) -> Classifier:
    """Return ResNet-152: 60.2 M parameters, 11.28 G multiply-adds (11.30 in Table 2)."""
    unit = partial(bottleneck_unit, stride_on=stride_on)
    return _build_network(plan, classes, unit, UNITS[152], stem_pool)


@register_network
def resnext50(plan: SEPlan, classes: int, *, stride_on: str, stem_pool: str) -> Classifier:
    """Return ResNeXt-50 (32x4d): 25.0 M parameters, 4.23 G multiply-adds (4.24 in Table 2)."""
    unit = partial(resnext_unit, stride_on=stride_on)
    return _build_network(plan, classes, unit, UNITS[50], stem_pool)


@register_network
def resnext101(plan: SEPlan, classes: int, *, stride_on: str, stem_pool: str) -> Classifier:
    """Return ResNeXt-101 (32x4d): 44.2 M parameters, 7.97 G multiply-adds (7.99 in Table 2)."""
    unit = partial(resnext_unit, stride_on=stride_on)
    return _build_network(plan, classes, unit, UNITS[101], stem_pool)


@register_network
def senet154(plan: SEPlan, classes: int) -> Classifier:
    """Return SENet-154: 115.1 M parameters and 20.7 G multiply-adds with SE blocks (appendix, Table 8).

    A ResNeXt-152 (64x4d) whose first 1x1 convolutions are halved, with a stem of three 3x3 convolutions, 3x3
    projections where the map shrinks and dropout of 0.2 before the classifier. Batch normalisation is not frozen
    in the last epochs, as the paper's was: it does not say in how many.
    """
    stem = named(
        conv1=conv_bn(3, 64, 3, stride=2),
        conv2=conv_bn(64, 64, 3),
        conv3=conv_bn(64, 128, 3),
        pool=halving_pool(),
    )
    stages = residual_stages(senet_unit, plan, UNITS[152], in_channels=128, out_channels=256)
    return Classifier(stem, stages, LinearHead(2048, classes, dropout=0.2))


def resnext_unit(
    gate: Gate, in_channels: int, out_channels: int, stride: int, *, stride_on: str
) -> ResidualUnit:
    """Return a unit of SE-ResNeXt-50 (Table 1): a bottleneck of half the output's width in 32 groups."""
    width = out_channels // 2
    branch = bottleneck_branch(
        gate,
        in_channels,
        out_channels,
        stride,
        stride_on=stride_on,
        widths=(width, width),
        groups=32,
    )
    shortcut = project_shortcut(in_channels, out_channels, stride)
    return ResidualUnit(gate, in_channels, out_channels, branch, shortcut)


def senet_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> ResidualUnit:
    """Return a unit of SENet-154: a 3x3 as wide as the output in 64 groups behind a 1x1 of half its width."""
    widths = (out_channels // 2, out_channels)
    branch = bottleneck_branch(gate, in_channels, out_channels, stride, widths=widths, groups=64)
    # Where the map shrinks a 1x1 would skip three of four pixels.
    kernel = 1 if stride == 1 else 3
    shortcut = project_shortcut(in_channels, out_channels, stride, kernel)
    return ResidualUnit(gate, in_channels, out_channels, branch, shortcut)


def _build_network(
    plan: SEPlan, classes: int, unit: Unit, units: Sequence[int], stem_pool: str
) -> Classifier:
    # Both halve the map; only the padded one sees beyond the upper and left edges.
    padded_pool = nn.MaxPool2d(3, stride=2, padding=1)
    pool = padded_pool if stem_pool == "padded" else halving_pool()
    stem = named(conv7x7=conv_bn(3, 64, 7, stride=2), pool=pool)
    stages = residual_stages(unit, plan, units, in_channels=64, out_channels=256)
    return Classifier(stem, stages, LinearHead(2048, classes))
