"""ShuffleNet v1, width 1x, three groups (Zhang et al. 2018; Table 3; models floor)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_repro.models.layers import (
    Classifier,
    LinearHead,
    concat_channels,
    conv_bn,
    group_by_stage,
    named,
)
from senet_repro.models.registry import register_network
from senet_repro.models.residual import ResidualUnit
from senet_repro.models.se import Gate, SEPlan

UNITS = {2: 4, 3: 8, 4: 4}
"""Units of each stage, numbered as the ShuffleNet paper does."""

STEM_CHANNELS = 24
GROUPS = 3


@register_network
def shufflenet(plan: SEPlan, classes: int) -> Classifier:
    """Return ShuffleNet 1x (g=3): 1.87 M parameters, 137 M multiply-adds (1.8 and 140 in Table 3).

    140 is the ShuffleNet paper's nominal figure, and 1.8 M is reached by truncation only. The SENet paper does not
    say where its SE blocks stand; at the end of the residual branch, before the sum or the concatenation, they add
    the published 0.6 M parameters and 2 M multiply-adds. All five placements are offered: in the units that
    concatenate, identity gates the pooled shortcut, and conv3x3 always follows the depthwise convolution.
    """
    stem = named(
        conv=conv_bn(3, STEM_CHANNELS, 3, stride=2),
        pool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    units = []
    in_channels = STEM_CHANNELS
    out_channels = 240
    for stage, count in UNITS.items():
        for _ in range(count):
            unit = shuffle_unit(plan.at_stage(stage), in_channels, out_channels)
            units.append((stage, unit))
            in_channels = out_channels
        out_channels *= 2
    return Classifier(stem, group_by_stage(units), LinearHead(in_channels, classes))


def shuffle_unit(gate: Gate, in_channels: int, out_channels: int) -> ResidualUnit:
    """Return a unit of stride 1 where the channels stay, and one of stride 2 that concatenates where they change.

    The first 1x1 of the network, over the stem's 24 channels, is not grouped, as in the ShuffleNet paper.
    """
    concatenates = in_channels != out_channels
    stride = 2 if concatenates else 1
    # The shortcut brings the input's channels to the concatenation, and the branch all others.
    branch_channels = out_channels - in_channels if concatenates else out_channels
    first_groups = 1 if in_channels == STEM_CHANNELS else GROUPS
    width = out_channels // 4
    branch = named(
        reduce=conv_bn(in_channels, width, 1, groups=first_groups),
        shuffle=Shuffle(GROUPS),
        depthwise=conv_bn(width, width, 3, stride, groups=width, relu=False),
        gate=gate("conv3x3", width),
        increase=conv_bn(width, branch_channels, 1, groups=GROUPS, relu=False),
    )
    if not concatenates:
        return ResidualUnit(gate, in_channels, out_channels, branch, nn.Identity())
    shortcut = nn.AvgPool2d(3, stride=2, padding=1)
    return ResidualUnit(gate, in_channels, out_channels, branch, shortcut, join=concat_channels)


class Shuffle(nn.Module):
    """Returns the channels of (N, C, H, W) reordered, so that each of the next groups sees all of these."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Return x with channel i of group g at i * groups + g."""
        return torch.channel_shuffle(x, self.groups)
