"""BN-Inception (Ioffe and Szegedy 2015; section 5.1, Table 2; models floor)."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from senet_repro.models.layers import (
    Branches,
    Classifier,
    LinearHead,
    conv_bn,
    halving_pool,
    in_stages,
    named,
)
from senet_repro.models.registry import register
from senet_repro.models.se import SEPlan

STAGES = (3, 4, 5)


class Module(NamedTuple):
    """Channels of the branches of a module; without `conv1x1` it halves the map and passes its pooled input on."""

    stage: int
    conv1x1: int | None
    conv3x3: tuple[int, int]
    double3x3: tuple[int, int]
    pooled: int | None = None
    pool: str = "avg"


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


@register(stages=STAGES, placements=("standard",))
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
        branches, out_channels = inception(sizes, in_channels)
        standard = plan.gate("standard", sizes.stage, out_channels)
        modules.append((sizes.stage, named(branches=branches, standard=standard)))
        in_channels = out_channels
    return Classifier(stem, in_stages(modules), LinearHead(in_channels, classes))


def inception(sizes: Module, in_channels: int) -> tuple[Branches, int]:
    """Return a module's branches and how many channels they give together."""
    stride = 2 if sizes.conv1x1 is None else 1
    (reduce3, conv3), (reduce33, conv33) = sizes.conv3x3, sizes.double3x3
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
    if sizes.pooled is None:
        branches["pool"] = halving_pool()
    else:
        pool = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}[sizes.pool](3, stride=1, padding=1)
        branches["pool"] = named(pool=pool, project=conv_bn(in_channels, sizes.pooled, 1))
    return Branches(**branches), (sizes.conv1x1 or 0) + conv3 + conv33 + (
        sizes.pooled or in_channels
    )
