"""Small residual networks for 32x32 images and below, proxies of the paper's (models floor).

None of these depths is in the paper. Their three stages are numbered 2, 3 and 4 after those of the ImageNet
networks, which have one more. With r=16 the 16 channels of a basic stage 2 leave a hidden width of 1.
"""

from __future__ import annotations

from functools import partial

from senet_repro.models.layers import Classifier, LinearHead, conv_bn
from senet_repro.models.registry import register
from senet_repro.models.residual import basic_unit, bottleneck_unit, residual_stages
from senet_repro.models.se import SEPlan

STAGES = (2, 3, 4)


@register(stages=STAGES)
def resnet20(plan: SEPlan, num_classes: int) -> Classifier:
    """Return the CIFAR ResNet-20 of He et al. 2016: basic units, option-A shortcuts."""
    return _basic_resnet(3, plan, num_classes)


@register(stages=STAGES)
def resnet56(plan: SEPlan, num_classes: int) -> Classifier:
    """Return the CIFAR ResNet-56 of He et al. 2016: basic units, option-A shortcuts."""
    return _basic_resnet(9, plan, num_classes)


@register(stages=STAGES)
def resnet11(plan: SEPlan, num_classes: int, *, stride_on: str = "conv1x1") -> Classifier:
    """Return one bottleneck per stage, built as in ResNet-50, widths 16, 32, 64, outputs 64, 128, 256."""
    return _bottleneck_resnet(1, plan, num_classes, stride_on)


@register(stages=STAGES)
def resnet29(plan: SEPlan, num_classes: int, *, stride_on: str = "conv1x1") -> Classifier:
    """Return three bottlenecks per stage, built as in ResNet-50, widths 16, 32, 64, outputs 64, 128, 256."""
    return _bottleneck_resnet(3, plan, num_classes, stride_on)


def _basic_resnet(units: int, plan: SEPlan, num_classes: int) -> Classifier:
    stages = residual_stages(partial(basic_unit, plan), (units,) * 3, in_channels=16, width=16)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(64, num_classes))


def _bottleneck_resnet(units: int, plan: SEPlan, num_classes: int, stride_on: str) -> Classifier:
    unit = partial(bottleneck_unit, plan, stride_on=stride_on)
    stages = residual_stages(unit, (units,) * 3, in_channels=16, width=16)
    return Classifier(conv_bn(3, 16, 3), stages, LinearHead(256, num_classes))
