"""Post-activation residual networks for 32x32 images and below (models floor).

Their three stages are numbered 2, 3 and 4 after those of the ImageNet networks, which have one more. With r=16 the
16 channels of a basic stage 2 leave a hidden width of 1. Only the depth 110 is in the paper, whose figures for it are
those of its pre-activation form (preact.py); the others are proxies.
"""

from __future__ import annotations

from functools import partial

from senet_repro.models.layers import Classifier, LinearHead, conv_bn
from senet_repro.models.registry import register
from senet_repro.models.residual import basic_unit, bottleneck_unit, residual_stages
from senet_repro.models.se import SEPlan

STAGES = (2, 3, 4)


@register(stages=STAGES)
def resnet20(plan: SEPlan, classes: int) -> Classifier:
    """Return the CIFAR ResNet-20 of He et al. 2016: basic units, option-A shortcuts."""
    return _basic_resnet(3, plan, classes)


@register(stages=STAGES)
def resnet56(plan: SEPlan, classes: int) -> Classifier:
    """Return the CIFAR ResNet-56 of He et al. 2016: basic units, option-A shortcuts."""
    return _basic_resnet(9, plan, classes)


@register(stages=STAGES)
def resnet110_post(plan: SEPlan, classes: int) -> Classifier:
    """Return the CIFAR ResNet-110 of He et al. 2016, 1.73 M parameters: basic units, option-A shortcuts."""
    return _basic_resnet(18, plan, classes)


@register(stages=STAGES)
def resnet11(plan: SEPlan, classes: int, *, stride_on: str = "conv1x1") -> Classifier:
    """Return one bottleneck per stage, built as in ResNet-50, widths 16, 32, 64, outputs 64, 128, 256."""
    return _bottleneck_resnet(1, plan, classes, stride_on)


@register(stages=STAGES)
def resnet29(plan: SEPlan, classes: int, *, stride_on: str = "conv1x1") -> Classifier:
    """Return three bottlenecks per stage, built as in ResNet-50, widths 16, 32, 64, outputs 64, 128, 256."""
    return _bottleneck_resnet(3, plan, classes, stride_on)


def _basic_resnet(units: int, plan: SEPlan, classes: int) -> Classifier:
    stages = residual_stages(basic_unit, plan, (units,) * 3, in_channels=16, out_channels=16)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(64, classes))


def _bottleneck_resnet(units: int, plan: SEPlan, classes: int, stride_on: str) -> Classifier:
    unit = partial(bottleneck_unit, stride_on=stride_on)
    stages = residual_stages(unit, plan, (units,) * 3, in_channels=16, out_channels=64)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(256, classes))
