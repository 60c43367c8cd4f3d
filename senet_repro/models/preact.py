"""Pre-activation residual networks for CIFAR: ResNet-110, ResNet-164 and WRN-16-8 (Tables 4 and 5; models floor).

The figures that the paper cites for ResNet-110 and -164 are those of He et al. 2016, "Identity Mappings in Deep
Residual Networks": BN and ReLU before each convolution, none after the sum, and one more pair before the classifier. A
unit that changes shape shares its first pair between branch and shortcut, a plain 1x1 convolution.

The placements here, with x the stream that enters a unit:
- standard: end of the branch, after its last convolution and before the sum; the shortcut is not gated (section 3.3).
- pre: the branch input x, before its BN and ReLU; where the shape changes, after the pair that it shares.
- post: the sum, on which there is no ReLU.
- identity: the shortcut, after the projection where there is one.
- conv3x3: after the (first) 3x3 convolution with the BN and ReLU that follow it.

Their three stages are numbered 2, 3 and 4, as in cifar.py.
"""

from __future__ import annotations

from torch import nn

from senet_repro.models.layers import Classifier, LinearHead, bn_relu, conv, named
from senet_repro.models.registry import register
from senet_repro.models.residual import ResidualUnit, Unit, residual_stages
from senet_repro.models.se import Gate, SEPlan

STAGES = (2, 3, 4)


@register(stages=STAGES)
def resnet110(plan: SEPlan, classes: int) -> Classifier:
    """Return the pre-activation ResNet-110: basic units of 16, 32, 64 channels, 1.73 M parameters.

    With r=16 the hidden widths of its SE blocks are 1, 2 and 4.
    """
    return _network(basic_unit, plan, 18, 16, classes)


@register(stages=STAGES)
def resnet164(plan: SEPlan, classes: int) -> Classifier:
    """Return the pre-activation ResNet-164: bottlenecks that give 64, 128, 256 channels, 1.70 M parameters.

    The first 1x1 of a bottleneck strides, as in the code that He et al. published: 244.5 M multiply-adds.
    """
    return _network(bottleneck_unit, plan, 18, 64, classes)


@register(stages=STAGES)
def wrn16_8(plan: SEPlan, classes: int) -> Classifier:
    """Return WRN-16-8 (Zagoruyko and Komodakis 2016): basic units of 128, 256, 512 channels, 10.96 M parameters."""
    return _network(basic_unit, plan, 2, 128, classes)


def basic_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return a 3x3, 3x3 unit."""
    body = named(
        conv1=conv(in_channels, out_channels, 3, stride),
        preact2=bn_relu(out_channels),
        gate=gate("conv3x3", out_channels),
        conv2=conv(out_channels, out_channels, 3),
    )
    return _unit(gate, in_channels, out_channels, stride, body)


def bottleneck_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return a 1x1, 3x3, 1x1 unit of a quarter of the output's width, with the stride in the first 1x1."""
    width = out_channels // 4
    body = named(
        reduce=conv(in_channels, width, 1, stride),
        preact2=bn_relu(width),
        conv3x3=conv(width, width, 3),
        preact3=bn_relu(width),
        gate=gate("conv3x3", width),
        increase=conv(width, out_channels, 1),
    )
    return _unit(gate, in_channels, out_channels, stride, body)


def _unit(
    gate: Gate, in_channels: int, out_channels: int, stride: int, body: nn.Module
) -> nn.Module:
    preact = bn_relu(in_channels)
    if (in_channels, 1) == (out_channels, stride):
        branch = named(preact=preact, body=body)
        return ResidualUnit(
            gate, in_channels, out_channels, branch, nn.Identity(), act=nn.Identity()
        )
    shortcut = conv(in_channels, out_channels, 1, stride)
    unit = ResidualUnit(gate, in_channels, out_channels, body, shortcut, act=nn.Identity())
    return named(preact=preact, unit=unit)


def _network(unit: Unit, plan: SEPlan, units: int, out_channels: int, classes: int) -> Classifier:
    stages = residual_stages(unit, plan, (units,) * 3, in_channels=16, out_channels=out_channels)
    head = named(preact=bn_relu(4 * out_channels), linear=LinearHead(4 * out_channels, classes))
    return Classifier(conv(3, 16, 3), stages, head)
