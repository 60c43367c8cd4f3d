"""Post-activation residual networks for 32x32 images and below (models floor).

Their three stages are numbered 2, 3 and 4 after those of the ImageNet networks, which have one more. With r=16 the
16 channels of a basic stage 2 leave a hidden width of 1. Only the depth 110 is in the paper, whose figures for it are
those of its pre-activation variant (preact.py); the others are proxies.
"""

from __future__ import annotations

from functools import partial

from senet_repro.models.layers import Classifier, LinearHead, conv_bn
from senet_repro.models.registry import register_network
from senet_repro.models.residual import basic_unit, bottleneck_unit, residual_stages
from senet_repro.models.se import SEPlan


@register_network
def resnet20(plan: SEPlan, classes: int) -> Classifier:
    """Return the CIFAR ResNet-20 of He et al. 2016: basic units, option-A shortcuts."""
    return _build_basic(plan, classes, units_per_stage=3)


@register_network
def resnet56(plan: SEPlan, classes: int) -> Classifier:
    """Return the CIFAR ResNet-56 of He et al. 2016: basic units, option-A shortcuts."""
    return _build_basic(plan, classes, units_per_stage=9)


@register_network
def resnet110_post(plan: SEPlan, classes: int) -> Classifier:
    """Return the CIFAR ResNet-110 of He et al. 2016, 1.73 M parameters: basic units, option-A shortcuts."""
    return _build_basic(plan, classes, units_per_stage=18)


@register_network
def resnet11(plan: SEPlan, classes: int, *, stride_on: str) -> Classifier:
    """Return one bottleneck per stage, built as in ResNet-50, widths 16, 32, 64, outputs 64, 128, 256."""
    return _build_bottleneck(plan, classes, stride_on, units_per_stage=1)


@register_network
def resnet29(plan: SEPlan, classes: int, *, stride_on: str) -> Classifier:
    """Return three bottlenecks per stage, built as in ResNet-50, widths 16, 32, 64, outputs 64, 128, 256."""
    return _build_bottleneck(plan, classes, stride_on, units_per_stage=3)


def _build_basic(plan: SEPlan, classes: int, units_per_stage: int) -> Classifier:
    units = (units_per_stage, units_per_stage, units_per_stage)
    stages = residual_stages(basic_unit, plan, units, in_channels=16, out_channels=16)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(64, classes))


def _build_bottleneck(
    plan: SEPlan, classes: int, stride_on: str, units_per_stage: int
) -> Classifier:
    units = (units_per_stage, units_per_stage, units_per_stage)
    unit = partial(bottleneck_unit, stride_on=stride_on)
    stages = residual_stages(unit, plan, units, in_channels=16, out_channels=64)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(256, classes))
