"""ShuffleNet v1, width 1x, three groups (Zhang et al. 2018; Table 3; models floor)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_repro.models.layers import Classifier, LinearHead, concat, conv_bn, named
from senet_repro.models.registry import register
from senet_repro.models.residual import ResidualUnit
from senet_repro.models.se import Gate, SEPlan

STAGES = (2, 3, 4)  # as that paper numbers them
UNITS = (4, 8, 4)
GROUPS = 3


@register(stages=STAGES)
def shufflenet(plan: SEPlan, classes: int) -> Classifier:
    """Return ShuffleNet 1x (g=3): 1.87 M parameters, 137 M multiply-adds (1.8 and 140 in Table 3).

    140 is the ShuffleNet paper's nominal figure, and 1.8 M is reached by truncation only. The SENet paper does not
    say where its SE blocks stand; at the end of the residual branch, before the sum or the concatenation, they add
    the published 0.6 M parameters and 2 M multiply-adds. All five placements are offered: in the units that
    concatenate, identity gates the pooled shortcut, and conv3x3 always follows the depthwise convolution.
    """
    stem = named(conv=conv_bn(3, 24, 3, stride=2), pool=nn.MaxPool2d(3, stride=2, padding=1))
    stages = nn.ModuleDict()
    in_channels, out_channels = 24, 240
    for stage, count in zip(STAGES, UNITS, strict=True):
        row = []
        for _ in range(count):
            row.append(shuffle_unit(plan.at(stage), in_channels, out_channels))
            in_channels = out_channels
        stages[str(stage)] = nn.Sequential(*row)
        out_channels *= 2
    return Classifier(stem, stages, LinearHead(in_channels, classes))


def shuffle_unit(gate: Gate, in_channels: int, out_channels: int) -> ResidualUnit:
    """Return a unit of stride 1 where the channels stay, and one of stride 2 that concatenates where they change.

    The first 1x1 of the network, over 24 channels, is not grouped, as in the ShuffleNet paper.
    """
    keeps = in_channels == out_channels
    width = out_channels // 4
    branch = named(
        reduce=conv_bn(in_channels, width, 1, groups=1 if in_channels == 24 else GROUPS),
        shuffle=Shuffle(GROUPS),
        depthwise=conv_bn(width, width, 3, 1 if keeps else 2, groups=width, relu=False),
        gate=gate("conv3x3", width),
        increase=conv_bn(
            width,
            out_channels if keeps else out_channels - in_channels,
            1,
            groups=GROUPS,
            relu=False,
        ),
    )
    if keeps:
        return ResidualUnit(gate, in_channels, out_channels, branch, nn.Identity())
    shortcut = nn.AvgPool2d(3, stride=2, padding=1)
    return ResidualUnit(gate, in_channels, out_channels, branch, shortcut, join=concat)


class Shuffle(nn.Module):
    """Returns the channels of (N, C, H, W) reordered, so that each of the next groups sees all of these."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Return x with channel i of group g at i * groups + g."""
        return torch.channel_shuffle(x, self.groups)
