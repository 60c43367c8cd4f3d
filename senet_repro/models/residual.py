"""The residual unit with its five SE sites, and the branches and shortcuts it is made of (models floor)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.config.choice import require
from senet_repro.config.schema import STRIDES_ON
from senet_repro.models.layers import conv_bn, named
from senet_repro.models.se import SEPlan

EXPANSION = 4  # output channels of a bottleneck over its width
FIRST_STAGE = 2  # the paper counts conv2_x first


class ResidualUnit(nn.Module):
    """Returns post(act(standard(branch(pre(x))) + identity(shortcut(x)))): (N, C, H, W) -> (N, C', H', W').

    The sites are those of section 6.5 (Fig. 5), and a site without SE is nn.Identity:
    - standard: end of the branch, before the sum.
    - pre: the branch input alone; the shortcut leaves before the gate, as drawn in Fig. 5c.
    - post: after the sum and the ReLU.
    - identity: the shortcut. In units that change shape the gate follows the projection, so that it has the
      channels of the sum; the paper does not say on which side it stands.
    - conv3x3: inside the branch, which asks the plan itself (SE_3x3).
    """

    def __init__(
        self,
        plan: SEPlan,
        stage: int,
        in_channels: int,
        out_channels: int,
        branch: nn.Module,
        shortcut: nn.Module,
    ) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.pre = plan.gate("pre", stage, in_channels)
        self.branch = branch
        self.standard = plan.gate("standard", stage, out_channels)
        self.shortcut = shortcut
        self.identity = plan.gate("identity", stage, out_channels)
        self.act = nn.ReLU(inplace=True)
        self.post = plan.gate("post", stage, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H', W') for x of (N, C, H, W)."""
        residual = self.standard(self.branch(self.pre(x)))
        out: Tensor = self.post(self.act(residual + self.identity(self.shortcut(x))))
        return out


def bottleneck_unit(
    plan: SEPlan, stage: int, in_channels: int, width: int, stride: int, stride_on: str
) -> ResidualUnit:
    """Return a 1x1, 3x3, 1x1 unit of `width` with a projection wherever the shape changes (Table 1)."""
    out_channels = EXPANSION * width
    branch = bottleneck(plan, stage, in_channels, width, stride, stride_on)
    shortcut = projection(in_channels, out_channels, stride)
    return ResidualUnit(plan, stage, in_channels, out_channels, branch, shortcut)


def basic_unit(plan: SEPlan, stage: int, in_channels: int, width: int, stride: int) -> ResidualUnit:
    """Return a 3x3, 3x3 unit of `width` whose shortcuts have no parameters."""
    branch = basic(plan, stage, in_channels, width, stride)
    shortcut = option_a(in_channels, width, stride)
    return ResidualUnit(plan, stage, in_channels, width, branch, shortcut)


def bottleneck(plan: SEPlan, stage: int, in_channels: int, width: int, stride: int, stride_on: str) -> nn.Sequential:
    """Return the branch 1x1, 3x3, 1x1, each with BN and all but the last with ReLU.

    The stride sits on the first 1x1, as in the released models (3.86 GFLOPs for ResNet-50), or on the 3x3
    (4.09). The text does not place SE_3x3 against BN and ReLU; here it follows both.

    Raises:
        ValueError: stride_on names neither.
    """
    require("stride_on", stride_on, STRIDES_ON)
    stride_1x1, stride_3x3 = (stride, 1) if stride_on == "conv1x1" else (1, stride)
    return named(
        reduce=conv_bn(in_channels, width, 1, stride_1x1),
        conv3x3=conv_bn(width, width, 3, stride_3x3),
        gate=plan.gate("conv3x3", stage, width),
        increase=conv_bn(width, EXPANSION * width, 1, relu=False),
    )


def basic(plan: SEPlan, stage: int, in_channels: int, width: int, stride: int) -> nn.Sequential:
    """Return the branch 3x3, 3x3, each with BN and the first with ReLU; SE_3x3 follows the first."""
    return named(
        conv1=conv_bn(in_channels, width, 3, stride),
        gate=plan.gate("conv3x3", stage, width),
        conv2=conv_bn(width, width, 3, relu=False),
    )


def projection(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return a 1x1 convolution with BN where the shape changes, and nothing elsewhere."""
    if (in_channels, 1) == (out_channels, stride):
        return nn.Identity()
    return conv_bn(in_channels, out_channels, 1, stride, relu=False)


def option_a(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return the shortcut without parameters where the shape changes, and nothing elsewhere."""
    if (in_channels, 1) == (out_channels, stride):
        return nn.Identity()
    return OptionA(out_channels - in_channels, stride)


class OptionA(nn.Module):
    """Returns every stride-th position, with zeros as new channels (option A of He et al. 2016)."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', ceil(H / stride), ceil(W / stride)) for x of (N, C, H, W)."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


def residual_stages(
    unit: Callable[[int, int, int, int], ResidualUnit], units: Sequence[int], in_channels: int, width: int
) -> nn.ModuleDict:
    """Return stages of `units[i]` units each, keyed "2", "3" and so on.

    From each stage to the next the width doubles, and H and W halve. `unit` builds one unit from
    (stage, in_channels, width, stride).
    """
    stages = nn.ModuleDict()
    for stage, count in enumerate(units, start=FIRST_STAGE):
        row: list[ResidualUnit] = []
        for index in range(count):
            stride = 2 if stage > FIRST_STAGE and index == 0 else 1
            row.append(unit(stage, in_channels, width, stride))
            in_channels = row[-1].out_channels
        stages[str(stage)] = nn.Sequential(*row)
        width *= 2
    return stages
