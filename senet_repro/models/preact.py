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
from senet_repro.models.registry import register_network
from senet_repro.models.residual import ResidualUnit, Unit, keeps_shape, residual_stages
from senet_repro.models.se import Gate, SEPlan


@register_network
def resnet110(plan: SEPlan, classes: int) -> Classifier:
    """Return the pre-activation ResNet-110: basic units of 16, 32, 64 channels, 1.73 M parameters.

    With r=16 the hidden widths of its SE blocks are 1, 2 and 4.
    """
    return _build_network(plan, classes, basic_unit, units_per_stage=18, out_channels=16)


@register_network
def resnet164(plan: SEPlan, classes: int) -> Classifier:
    """Return the pre-activation ResNet-164: bottlenecks that give 64, 128, 256 channels, 1.70 M parameters.

    The first 1x1 of a bottleneck strides, as in the code that He et al. published: 244.5 M multiply-adds.
    """
    return _build_network(plan, classes, bottleneck_unit, units_per_stage=18, out_channels=64)


@register_network
def wrn16_8(plan: SEPlan, classes: int) -> Classifier:
    """Return WRN-16-8 (Zagoruyko and Komodakis 2016): basic units of 128, 256, 512 channels, 10.96 M parameters."""
    return _build_network(plan, classes, basic_unit, units_per_stage=2, out_channels=128)


def basic_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return a 3x3, 3x3 unit."""
    body = named(
        conv1=conv(in_channels, out_channels, 3, stride),
        preact2=bn_relu(out_channels),
        gate=gate("conv3x3", out_channels),
        conv2=conv(out_channels, out_channels, 3),
    )
    return _add_preact_and_shortcut(gate, in_channels, out_channels, stride, body)


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
    return _add_preact_and_shortcut(gate, in_channels, out_channels, stride, body)


def _add_preact_and_shortcut(
    gate: Gate,
    in_channels: int,
    out_channels: int,
    stride: int,
    body: nn.Module,
) -> nn.Module:
    """Return a unit whose branch is `body` behind its first BN and ReLU; no ReLU follows the sum."""
    preact = bn_relu(in_channels)
    if keeps_shape(in_channels, out_channels, stride):
        branch = named(preact=preact, body=body)
        shortcut: nn.Module = nn.Identity()
        return ResidualUnit(gate, in_channels, out_channels, branch, shortcut, act=nn.Identity())
    # Branch and projection share the first pair, so it stands before the unit.
    shortcut = conv(in_channels, out_channels, 1, stride)
    unit = ResidualUnit(gate, in_channels, out_channels, body, shortcut, act=nn.Identity())
    return named(preact=preact, unit=unit)


def _build_network(
    plan: SEPlan,
    classes: int,
    unit: Unit,
    units_per_stage: int,
    out_channels: int,
) -> Classifier:
    """Return a network of three stages, the first of which gives `out_channels` and the last four times as many."""
    units = (units_per_stage, units_per_stage, units_per_stage)
    stages = residual_stages(unit, plan, units, in_channels=16, out_channels=out_channels)
    last_channels = 4 * out_channels
    # The stream ends without an activation, since no unit has one after its sum.
    head = named(
        preact=bn_relu(last_channels),
        linear=LinearHead(last_channels, classes),
    )
    return Classifier(conv(3, 16, 3), stages, head)
