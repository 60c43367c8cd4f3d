"""Inception-ResNet-v2 (Szegedy et al. 2017; section 5.1, Table 2; models floor)."""

from __future__ import annotations

from functools import partial

from torch import nn

from senet_repro.models import layers
from senet_repro.models.layers import (
    Branches,
    Classifier,
    LinearHead,
    Sum,
    conv,
    group_by_stage,
    named,
)
from senet_repro.models.registry import register_network
from senet_repro.models.residual import ResidualUnit
from senet_repro.models.se import Gate, SEPlan

# In its definition every batch normalisation adds 1e-3 to the variance, and not torch's 1e-5.
conv_bn = partial(layers.conv_bn, bn_epsilon=1e-3)

STEMS = {"unpadded": 0, "slim": 1}
"""Padding of the third stem convolution."""


@register_network
def inception_resnet_v2(plan: SEPlan, classes: int, *, stem: str) -> Classifier:
    """Return Inception-ResNet-v2: 55.8 M parameters, 11.73 G multiply-adds at 299 px (11.75 in Table 2).

    No known definition gives the published figure. The usual one, of TensorFlow's slim, counts 13.16 G; it is
    `stem=slim`. The default leaves the third convolution of its stem unpadded, which makes maps of 34, 16 and 7 px
    instead of 35, 17 and 8: the variant that comes closest, chosen among many and so a hypothesis.

    The epsilon of every batch normalisation is 1e-3, as in slim's definition.

    The units for 35, 17 and 8 px maps are stages 3, 4 and 5. The paper speaks of "similar schemes" only; here
    the standard SE block ends the residual branch, before its scaling and the sum, and conv3x3 stands on the
    concatenated branches, before the 1x1 that restores the channels. The modules that shrink the map have none.
    """
    gate3, gate4, gate5 = plan.at_stage(3), plan.at_stage(4), plan.at_stage(5)
    units: list[tuple[int, nn.Module]] = []
    for _ in range(10):
        units.append((3, unit_35px(gate3)))
    units.append((4, shrink_35px()))
    for _ in range(20):
        units.append((4, unit_17px(gate4)))
    units.append((5, shrink_17px()))
    for _ in range(9):
        units.append((5, unit_8px(gate5)))
    # The last unit, alone of all, has neither scale nor ReLU.
    units.append((5, unit_8px(gate5, scale=1.0, act=nn.Identity())))
    head = named(conv=conv_bn(2080, 1536, 1), linear=LinearHead(1536, classes))
    return Classifier(_build_stem(STEMS[stem]), group_by_stage(units), head)


def scaled_unit(
    gate: Gate,
    channels: int,
    branches: Branches,
    width: int,
    scale: float,
    act: nn.Module | None = None,
) -> ResidualUnit:
    """Return a unit over `channels`: branches of `width` together, a 1x1 with bias, and `scale` times that added."""
    branch = named(
        branches=branches, gate=gate("conv3x3", width), increase=conv(width, channels, 1, bias=True)
    )
    # Small scales keep training of so many units stable.
    join = Sum(scale)
    return ResidualUnit(gate, channels, channels, branch, nn.Identity(), act=act, join=join)


def unit_35px(gate: Gate) -> ResidualUnit:
    """Return a unit for 35x35 maps of 320 channels (Inception-ResNet-A)."""
    branches = Branches(
        conv1x1=conv_bn(320, 32, 1),
        conv3x3=named(reduce=conv_bn(320, 32, 1), conv=conv_bn(32, 32, 3)),
        double3x3=named(
            reduce=conv_bn(320, 32, 1), conv1=conv_bn(32, 48, 3), conv2=conv_bn(48, 64, 3)
        ),
    )
    return scaled_unit(gate, 320, branches, 128, scale=0.17)


def unit_17px(gate: Gate) -> ResidualUnit:
    """Return a unit for 17x17 maps of 1088 channels (Inception-ResNet-B)."""
    branches = Branches(
        conv1x1=conv_bn(1088, 192, 1),
        conv7x7=named(
            reduce=conv_bn(1088, 128, 1),
            conv1x7=conv_bn(128, 160, (1, 7)),
            conv7x1=conv_bn(160, 192, (7, 1)),
        ),
    )
    return scaled_unit(gate, 1088, branches, 384, scale=0.10)


def unit_8px(gate: Gate, scale: float = 0.20, act: nn.Module | None = None) -> ResidualUnit:
    """Return a unit for 8x8 maps of 2080 channels (Inception-ResNet-C); the last one has neither scale nor ReLU."""
    branches = Branches(
        conv1x1=conv_bn(2080, 192, 1),
        conv3x3=named(
            reduce=conv_bn(2080, 192, 1),
            conv1x3=conv_bn(192, 224, (1, 3)),
            conv3x1=conv_bn(224, 256, (3, 1)),
        ),
    )
    return scaled_unit(gate, 2080, branches, 448, scale, act)


def shrink_35px() -> Branches:
    """Return the module between 35x35 maps of 320 channels and 17x17 maps of 1088."""
    return Branches(
        conv3x3=conv_bn(320, 384, 3, 2, padding=0),
        double3x3=named(
            reduce=conv_bn(320, 256, 1),
            conv1=conv_bn(256, 256, 3),
            conv2=conv_bn(256, 384, 3, 2, padding=0),
        ),
        pool=nn.MaxPool2d(3, stride=2),
    )


def shrink_17px() -> Branches:
    """Return the module between 17x17 maps of 1088 channels and 8x8 maps of 2080."""
    return Branches(
        conv3x3=named(reduce=conv_bn(1088, 256, 1), conv=conv_bn(256, 384, 3, 2, padding=0)),
        wide3x3=named(reduce=conv_bn(1088, 256, 1), conv=conv_bn(256, 288, 3, 2, padding=0)),
        double3x3=named(
            reduce=conv_bn(1088, 256, 1),
            conv1=conv_bn(256, 288, 3),
            conv2=conv_bn(288, 320, 3, 2, padding=0),
        ),
        pool=nn.MaxPool2d(3, stride=2),
    )


def _build_stem(padding: int) -> nn.Sequential:
    inception = Branches(
        conv1x1=conv_bn(192, 96, 1),
        conv5x5=named(reduce=conv_bn(192, 48, 1), conv=conv_bn(48, 64, 5)),
        double3x3=named(
            reduce=conv_bn(192, 64, 1), conv1=conv_bn(64, 96, 3), conv2=conv_bn(96, 96, 3)
        ),
        pool=named(
            pool=nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
            project=conv_bn(192, 64, 1),
        ),
    )
    return named(
        conv1=conv_bn(3, 32, 3, 2, padding=0),
        conv2=conv_bn(32, 32, 3, padding=0),
        conv3=conv_bn(32, 64, 3, padding=padding),
        pool1=nn.MaxPool2d(3, stride=2),
        conv4=conv_bn(64, 80, 1),
        conv5=conv_bn(80, 192, 3, padding=0),
        pool2=nn.MaxPool2d(3, stride=2),
        inception=inception,
    )
