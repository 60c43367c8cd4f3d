"""MobileNet v1, width 1.0 (Howard et al. 2017; Table 3; models floor)."""

from __future__ import annotations

from torch import nn

from senet_repro.models.layers import Classifier, LinearHead, conv_bn, group_by_stage, named
from senet_repro.models.registry import register_network
from senet_repro.models.se import Gate, SEPlan

UNITS = (
    (1, 64, 1),
    (2, 128, 2),
    (2, 128, 1),
    (3, 256, 2),
    (3, 256, 1),
    (4, 512, 2),
    (4, 512, 1),
    (4, 512, 1),
    (4, 512, 1),
    (4, 512, 1),
    (4, 512, 1),
    (5, 1024, 2),
    (5, 1024, 1),
)
"""Stage, channels and stride of the 13 separable convolutions."""


@register_network
def mobilenet(plan: SEPlan, classes: int) -> Classifier:
    """Return MobileNet: 4.23 M parameters, 569 M multiply-adds (569 in Table 3).

    The paper does not say where its SE blocks stand; after the BN and ReLU of each of the 13 pointwise convolutions
    they add the published 0.5 M parameters and 3 M multiply-adds. Stages are numbered by the size of the map, 112 px
    being stage 1, as in the paper's ResNets.
    """
    stem = conv_bn(3, 32, 3, stride=2)
    units = []
    in_channels = 32
    for stage, channels, stride in UNITS:
        unit = separable_unit(plan.at_stage(stage), in_channels, channels, stride)
        units.append((stage, unit))
        in_channels = channels
    return Classifier(stem, group_by_stage(units), LinearHead(in_channels, classes))


def separable_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Return a 3x3 convolution of each channel and a 1x1 over all, each with BN and ReLU."""
    return named(
        depthwise=conv_bn(in_channels, in_channels, 3, stride, groups=in_channels),
        pointwise=conv_bn(in_channels, out_channels, 1),
        standard=gate("standard", out_channels),
    )
