"""ResNet-50, -101 and -152 for 224x224 images (section 4, Table 1; models floor)."""

from __future__ import annotations

from functools import partial

from torch import nn

from senet_repro.models.layers import Classifier, LinearHead, conv_bn, named
from senet_repro.models.registry import register
from senet_repro.models.residual import bottleneck_unit, residual_stages
from senet_repro.models.se import SEPlan

STAGES = (2, 3, 4, 5)


@register(stages=STAGES)
def resnet50(plan: SEPlan, num_classes: int, *, stride_on: str = "conv1x1") -> Classifier:
    """Return ResNet-50: 25.6 M parameters, 3.86 G multiply-adds (3.86 in Table 2)."""
    return _resnet((3, 4, 6, 3), plan, num_classes, stride_on)


@register(stages=STAGES)
def resnet101(plan: SEPlan, num_classes: int, *, stride_on: str = "conv1x1") -> Classifier:
    """Return ResNet-101: 44.5 M parameters, 7.57 G multiply-adds (7.58 in Table 2)."""
    return _resnet((3, 4, 23, 3), plan, num_classes, stride_on)


@register(stages=STAGES)
def resnet152(plan: SEPlan, num_classes: int, *, stride_on: str = "conv1x1") -> Classifier:
    """Return ResNet-152: 60.2 M parameters, 11.28 G multiply-adds (11.30 in Table 2)."""
    return _resnet((3, 8, 36, 3), plan, num_classes, stride_on)


def _resnet(units: tuple[int, ...], plan: SEPlan, num_classes: int, stride_on: str) -> Classifier:
    # As in the released Caffe models: no padding, and a last window that may overhang the edge.
    pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=0, ceil_mode=True)
    stem = named(conv7x7=conv_bn(3, 64, 7, stride=2), pool=pool)
    unit = partial(bottleneck_unit, plan, stride_on=stride_on)
    return Classifier(stem, residual_stages(unit, units, in_channels=64, width=64), LinearHead(2048, num_classes))
