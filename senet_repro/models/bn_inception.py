"""BN-Inception (Ioffe and Szegedy 2015; section 5.1, Table 2; models floor)."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from senet_repro.models.layers import (
    Branches,
    Classifier,
    LinearHead,
    conv_bn,
    group_by_stage,
    halving_pool,
    named,
)
from senet_repro.models.registry import register_network
from senet_repro.models.se import SEPlan


class Module(NamedTuple):
    """Channels of the branches of a module; without `conv1x1` it halves the map and passes its pooled input on."""

    stage: int
    conv1x1: int | None
    conv3x3: tuple[int, int]  # of its 1x1 and its 3x3
    double3x3: tuple[int, int]  # of its 1x1 and of both 3x3
    pooled: int | None = None  # of the 1x1 behind the pooling
    pool: str = "avg"  # avg | max


MODULES = (
    Module(3, 64, (64, 64), (64, 96), 32),
    Module(3, 64, (64, 96), (64, 96), 64),
    Module(3, None, (128, 160), (64, 96)),
    Module(4, 224, (64, 96), (96, 128), 128),
    Module(4, 192, (96, 128), (96, 128), 128),
    Module(4, 160, (128, 160), (128, 160), 128),
    Module(4, 96, (128, 192), (160, 192), 128),
    Module(4, None, (128, 192), (192, 256)),
    Module(5, 352, (192, 320), (160, 224), 128),
    Module(5, 352, (192, 320), (192, 224), 128, "max"),
)


@register_network
def bn_inception(plan: SEPlan, classes: int) -> Classifier:
    """Return BN-Inception: 11.3 M parameters, 2.03 G multiply-adds (2.03 in Table 2).

    An SE block takes a whole module for its transformation (section 3.3): it stands on the concatenated output of all
    ten, the two that halve the map included, as in the released model. Stages 3, 4 and 5 are the modules 3a-3c, 4a-4e
    and 5a-5b.
    """
    stem = named(
        conv7x7=conv_bn(3, 64, 7, stride=2),
        pool1=halving_pool(),
        reduce=conv_bn(64, 64, 1),
        conv3x3=conv_bn(64, 192, 3),
        pool2=halving_pool(),
    )
    modules = []
    in_channels = 192
    for sizes in MODULES:
        out_channels = count_channels(sizes, in_channels)
        module = named(
            branches=inception_branches(sizes, in_channels),
            standard=plan.gate("standard", sizes.stage, out_channels),
        )
        modules.append((sizes.stage, module))
        in_channels = out_channels
    return Classifier(stem, group_by_stage(modules), LinearHead(in_channels, classes))


def count_channels(sizes: Module, in_channels: int) -> int:
    """Return how many channels the branches of a module give together."""
    conv1x1 = sizes.conv1x1 or 0
    pooled = sizes.pooled or in_channels
    return conv1x1 + sizes.conv3x3[1] + sizes.double3x3[1] + pooled


def inception_branches(sizes: Module, in_channels: int) -> Branches:
    """Return the three or four branches of a module."""
    # The modules without a 1x1 branch are those that halve the map (3c and 4e).
    stride = 2 if sizes.conv1x1 is None else 1
    reduce3, conv3 = sizes.conv3x3
    reduce33, conv33 = sizes.double3x3
    branches: dict[str, nn.Module] = {}
    if sizes.conv1x1:
        branches["conv1x1"] = conv_bn(in_channels, sizes.conv1x1, 1)
    branches["conv3x3"] = named(
        reduce=conv_bn(in_channels, reduce3, 1),
        conv=conv_bn(reduce3, conv3, 3, stride),
    )
    branches["double3x3"] = named(
        reduce=conv_bn(in_channels, reduce33, 1),
        conv1=conv_bn(reduce33, conv33, 3),
        conv2=conv_bn(conv33, conv33, 3, stride),
    )
    # A halving module has no projection behind its pooling, and so passes all its channels on.
    if sizes.pooled is None:
        branches["pool"] = halving_pool()
    else:
        pool_type = nn.MaxPool2d if sizes.pool == "max" else nn.AvgPool2d
        pool = pool_type(3, stride=1, padding=1)
        branches["pool"] = named(pool=pool, project=conv_bn(in_channels, sizes.pooled, 1))
    return Branches(**branches)
