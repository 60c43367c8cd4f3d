"""Pre-activation residual networks for CIFAR: ResNet-110, ResNet-164 and WRN-16-8 (Tables 4 and 5; models floor).

The figures that the paper cites for ResNet-110 and -164 are those of He et al. 2016b, "Identity Mappings in Deep
Residual Networks": BN and ReLU before each convolution, none after the sum, and one more pair before the classifier.
As its appendix says, the first pair of the network stands before the paths of the first unit divide, and a projection
follows the pair that its unit begins with. So a unit that projects shares its first pair between both paths.

The placements here, with x the stream that enters a unit:
- standard: end of the branch, after its last convolution and before the sum; the shortcut is not gated (section 3.3).
- pre: the branch input x, before its BN and ReLU; where both paths share that pair, after it.
- post: the sum, on which there is no ReLU.
- identity: the shortcut, after the projection or the padding where there is one.
- conv3x3: after the (first) 3x3 convolution with the BN and ReLU that follow it.

Their three stages are numbered 2, 3 and 4, as in cifar.py.
"""

from __future__ import annotations

from torch import nn

from senet_repro.models.layers import Classifier, LinearHead, bn_relu, conv, named
from senet_repro.models.registry import register_network
from senet_repro.models.residual import (
    ResidualUnit,
    Unit,
    keeps_shape,
    option_a_shortcut,
    residual_stages,
)
from senet_repro.models.se import Gate, SEPlan


@register_network
def resnet110(plan: SEPlan, classes: int, *, first_activation: str, shortcut: str) -> Classifier:
    """Return the pre-activation ResNet-110: basic units of 16, 32, 64 channels, 1.73 M parameters.

    With r=16 the hidden widths of its SE blocks are 1, 2 and 4. By default it is that of He et al. 2016b, 1,727,962
    parameters. Both options depart from it, and together they give the network of many libraries:

    - `first_activation=branch_only`: the first pair feeds the branch of the first unit alone, as in the units after it.
    - `shortcut=projected`: where the shape changes, a 1x1 convolution behind the unit's first pair, 1,730,522
      parameters. The appendix has projections in bottlenecks only; basic units keep option A of the first ResNet
      paper, which pads the stream itself with zeros for the new channels.
    """
    unit = padded_unit if shortcut == "padded" else projected_unit
    first_unit = opening_unit if first_activation == "both_paths" else unit
    return _build_network(
        plan, classes, unit, units_per_stage=18, out_channels=16, first_unit=first_unit
    )


@register_network
def resnet164(plan: SEPlan, classes: int) -> Classifier:
    """Return the pre-activation ResNet-164: bottlenecks that give 64, 128, 256 channels, 1.70 M parameters.

    The first 1x1 of a bottleneck strides, as in the code that He et al. published: 244.5 M multiply-adds.
    """
    return _build_network(plan, classes, bottleneck_unit, units_per_stage=18, out_channels=64)


@register_network
def wrn16_8(plan: SEPlan, classes: int) -> Classifier:
    """Return WRN-16-8 (Zagoruyko and Komodakis 2016): basic units of 128, 256, 512 channels, 10.96 M parameters."""
    return _build_network(plan, classes, projected_unit, units_per_stage=2, out_channels=128)


def projected_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return a 3x3, 3x3 unit with a projection where the shape changes."""
    body = _build_basic_body(gate, in_channels, out_channels, stride)
    return _build_projecting_unit(gate, in_channels, out_channels, stride, body)


def padded_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return a 3x3, 3x3 unit whose shortcut is the stream itself, padded with zeros where the shape changes."""
    body = _build_basic_body(gate, in_channels, out_channels, stride)
    shortcut = option_a_shortcut(in_channels, out_channels, stride)
    return _activate_branch(gate, in_channels, out_channels, body, shortcut)


def opening_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return a 3x3, 3x3 unit of unchanged shape, whose first pair feeds the branch and the shortcut."""
    body = _build_basic_body(gate, in_channels, out_channels, stride)
    return _activate_both_paths(gate, in_channels, out_channels, body, nn.Identity())


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
    return _build_projecting_unit(gate, in_channels, out_channels, stride, body)


def _build_basic_body(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return the branch 3x3, 3x3 behind its first BN and ReLU."""
    return named(
        conv1=conv(in_channels, out_channels, 3, stride),
        preact2=bn_relu(out_channels),
        gate=gate("conv3x3", out_channels),
        conv2=conv(out_channels, out_channels, 3),
    )


def _build_projecting_unit(
    gate: Gate,
    in_channels: int,
    out_channels: int,
    stride: int,
    body: nn.Module,
) -> nn.Module:
    """Return a unit with `body` in its branch, whose shortcut is a plain 1x1 convolution where the shape changes."""
    if keeps_shape(in_channels, out_channels, stride):
        return _activate_branch(gate, in_channels, out_channels, body, nn.Identity())
    projection = conv(in_channels, out_channels, 1, stride)
    return _activate_both_paths(gate, in_channels, out_channels, body, projection)


def _activate_branch(
    gate: Gate, in_channels: int, out_channels: int, body: nn.Module, shortcut: nn.Module
) -> nn.Module:
    """Return a unit whose first BN and ReLU stand in the branch before `body`; no ReLU follows the sum."""
    branch = named(preact=bn_relu(in_channels), body=body)
    return ResidualUnit(gate, in_channels, out_channels, branch, shortcut, act=nn.Identity())


def _activate_both_paths(
    gate: Gate, in_channels: int, out_channels: int, body: nn.Module, shortcut: nn.Module
) -> nn.Module:
    """Return a unit whose first BN and ReLU stand before it, for `body` and `shortcut`; no ReLU follows the sum."""
    preact = bn_relu(in_channels)
    unit = ResidualUnit(gate, in_channels, out_channels, body, shortcut, act=nn.Identity())
    return named(preact=preact, unit=unit)


def _build_network(
    plan: SEPlan,
    classes: int,
    unit: Unit,
    units_per_stage: int,
    out_channels: int,
    first_unit: Unit | None = None,
) -> Classifier:
    """Return a network of three stages, the first of which gives `out_channels` and the last four times as many."""
    units = (units_per_stage, units_per_stage, units_per_stage)
    stages = residual_stages(
        unit, plan, units, in_channels=16, out_channels=out_channels, first_unit=first_unit
    )
    last_channels = 4 * out_channels
    # The stream ends without an activation, since no unit has one after its sum.
    head = named(
        preact=bn_relu(last_channels),
        linear=LinearHead(last_channels, classes),
    )
    return Classifier(conv(3, 16, 3), stages, head)
