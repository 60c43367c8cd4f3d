"""The residual unit with its five SE sites, and the branches and shortcuts it is made of (models floor)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.models.layers import Join, Sum, concat_channels, conv_bn, group_by_stage, named
from senet_repro.models.se import Gate, SEBlock, SEPlan

# The paper counts conv2_x first.
FIRST_STAGE = 2

Unit = Callable[[Gate, int, int, int], nn.Module]
"""Builds a unit from (gate, in_channels, out_channels, stride)."""


# How a unit ends unless its family says otherwise.
ADDED = Sum()


class ResidualUnit(nn.Module):
    """Returns post(act(join(identity(shortcut(x)), standard(branch(pre(x)))))): (N, C, H, W) -> (N, C', H', W').

    The sites are those of section 6.5 (Fig. 5), and a site without SE is nn.Identity:
    - standard: end of the branch, before the sum.
    - pre: the branch input alone; the shortcut leaves before the gate, as drawn in Fig. 5c.
    - post: after the sum and the ReLU.
    - identity: the shortcut. In units that change shape the gate follows the projection, so that it has the
      channels of the sum; the paper does not say on which side it stands.
    - conv3x3: inside the branch, which asks for the gate itself (SE_3x3).

    `act` is a ReLU and `join` a sum unless the family says otherwise. Where `join` is `concat_channels`, the shortcut
    brings the input's channels and the branch all others.
    """

    def __init__(
        self,
        gate: Gate,
        in_channels: int,
        out_channels: int,
        branch: nn.Module,
        shortcut: nn.Module,
        *,
        act: nn.Module | None = None,
        join: Join = ADDED,
    ) -> None:
        super().__init__()
        if join is concat_channels:
            shortcut_channels = in_channels
            branch_channels = out_channels - in_channels
        else:
            shortcut_channels = branch_channels = out_channels
        self.pre = gate("pre", in_channels)
        self.branch = branch
        self.standard = gate("standard", branch_channels)
        self.shortcut = shortcut
        self.identity = gate("identity", shortcut_channels)
        self.join = join
        self.act = nn.ReLU(inplace=True) if act is None else act
        self.post = gate("post", out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H', W') for x of (N, C, H, W)."""
        residual = self.branch(self.pre(x))
        shortcut = self.shortcut(x)
        joined = self._join_gated(shortcut, residual)
        out: Tensor = self.post(self.act(joined))
        return out

    def _join_gated(self, shortcut: Tensor, residual: Tensor) -> Tensor:
        """Return join(identity(shortcut), standard(residual))."""
        joined: Tensor
        # A block adds what it scales in the same pass over the map.
        if isinstance(self.join, Sum) and isinstance(self.standard, SEBlock):
            joined = self.standard(residual, self.identity(shortcut), self.join.factor)
        elif self.join == ADDED and isinstance(self.identity, SEBlock):
            joined = self.identity(shortcut, self.standard(residual))
        else:
            joined = self.join(self.identity(shortcut), self.standard(residual))
        return joined


def bottleneck_branch(
    gate: Gate,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    stride_on: str = "conv3x3",
    widths: tuple[int, int],
    groups: int = 1,
) -> nn.Sequential:
    """Return the branch 1x1, 3x3, 1x1, each with BN and all but the last with ReLU.

    `widths` are the channels of the first 1x1 and of the 3x3, whose `groups` make it a ResNeXt's. The text does
    not place SE_3x3 against BN and ReLU; here it follows both.
    """
    if stride_on == "conv1x1":
        stride_1x1, stride_3x3 = stride, 1
    else:
        stride_1x1, stride_3x3 = 1, stride
    narrow, middle = widths
    return named(
        reduce=conv_bn(in_channels, narrow, 1, stride_1x1),
        conv3x3=conv_bn(narrow, middle, 3, stride_3x3, groups=groups),
        gate=gate("conv3x3", middle),
        increase=conv_bn(middle, out_channels, 1, relu=False),
    )


def bottleneck_unit(
    gate: Gate, in_channels: int, out_channels: int, stride: int, *, stride_on: str
) -> ResidualUnit:
    """Return a unit of Table 1: a bottleneck of a quarter of the output's width, and a projection where needed."""
    width = out_channels // 4
    branch = bottleneck_branch(
        gate, in_channels, out_channels, stride, stride_on=stride_on, widths=(width, width)
    )
    shortcut = project_shortcut(in_channels, out_channels, stride)
    return ResidualUnit(gate, in_channels, out_channels, branch, shortcut)


def basic_branch(gate: Gate, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Return the branch 3x3, 3x3, each with BN and the first with ReLU; SE_3x3 follows the first."""
    return named(
        conv1=conv_bn(in_channels, out_channels, 3, stride),
        gate=gate("conv3x3", out_channels),
        conv2=conv_bn(out_channels, out_channels, 3, relu=False),
    )


def basic_unit(gate: Gate, in_channels: int, out_channels: int, stride: int) -> ResidualUnit:
    """Return a 3x3, 3x3 unit whose shortcuts have no parameters."""
    branch = basic_branch(gate, in_channels, out_channels, stride)
    shortcut = option_a_shortcut(in_channels, out_channels, stride)
    return ResidualUnit(gate, in_channels, out_channels, branch, shortcut)


def keeps_shape(in_channels: int, out_channels: int, stride: int) -> bool:
    """Return whether a unit's output has the shape of its input, so that the shortcut is the input itself."""
    return in_channels == out_channels and stride == 1


def project_shortcut(
    in_channels: int, out_channels: int, stride: int, kernel: int = 1
) -> nn.Module:
    """Return a convolution with BN where the shape changes, and nothing elsewhere."""
    if keeps_shape(in_channels, out_channels, stride):
        return nn.Identity()
    return conv_bn(in_channels, out_channels, kernel, stride, relu=False)


def option_a_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return the shortcut without parameters where the shape changes, and nothing elsewhere."""
    if keeps_shape(in_channels, out_channels, stride):
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
        kept = skip_pixels(x, self.stride)
        # Padding is counted from the last dimension: columns, rows, then channels.
        return F.pad(kept, (0, 0, 0, 0, 0, self.new_channels))


def skip_pixels(x: Tensor, stride: int) -> Tensor:
    """Return every stride-th row and column of (N, C, H, W), the first included."""
    return x[:, :, ::stride, ::stride]


def residual_stages(
    unit: Unit,
    plan: SEPlan,
    units: Sequence[int],
    in_channels: int,
    out_channels: int,
    *,
    first_unit: Unit | None = None,
) -> nn.ModuleDict:
    """Return stages of `units[i]` units each, keyed "2", "3" and so on; the first gives `out_channels`.

    From each stage to the next the channels double, and H and W halve. `first_unit` builds the very first unit where
    it is another than the rest.
    """
    built: list[tuple[int, nn.Module]] = []
    for stage, count in enumerate(units, start=FIRST_STAGE):
        gate = plan.at_stage(stage)
        for index in range(count):
            # The stem leaves the map of the first stage, so that no unit of it strides.
            is_halving = index == 0 and stage > FIRST_STAGE
            stride = 2 if is_halving else 1
            is_first = not built
            build = unit
            if is_first and first_unit is not None:
                build = first_unit
            built.append((stage, build(gate, in_channels, out_channels, stride)))
            in_channels = out_channels
        out_channels *= 2
    return group_by_stage(built)
