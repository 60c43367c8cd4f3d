"""The Squeeze-and-Excitation block (section 3) and the plan that decides where blocks go (models floor).

Tensors bear the paper's letters:
    u  input feature maps   (N, C, H, W)
    z  squeezed descriptor  (N, C, 1, 1), or (N, C, H, W) without a squeeze
    s  gate                 the shape of z
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from senet_repro.config.schema import EXCITATIONS
from senet_repro.config.validation import check_axes
from senet_repro.core.choice import require_choice
from senet_repro.models.scale import (
    GlobalAverage,
    Link,
    ScaleMap,
    SqueezeMap,
    scale_map,
    writes_own_backward,
)


class PositionwiseLinear(nn.Linear):
    """A linear layer over the channels of (N, C, H, W), the same one at every position: a 1x1 convolution."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H, W) for x of (N, C, H, W)."""
        # A linear layer works on the last dimension.
        features = super().forward(x.movedim(1, -1))
        return features.movedim(-1, 1)


# Adaptive pools, not means: the cost counter sees them (cost.py).
SQUEEZE: dict[str, Callable[[], nn.Module]] = {
    "avg": GlobalAverage,
    "max": partial(nn.AdaptiveMaxPool2d, 1),
    "none": nn.Identity,
}
EXCITATION: dict[str, Callable[[], nn.Module]] = {
    value: getattr(nn, name) for value, name in EXCITATIONS.items()
}
FC: dict[str, Callable[..., nn.Module]] = {
    "linear": PositionwiseLinear,
    "conv": partial(nn.Conv2d, kernel_size=1),
}


class SEBlock(nn.Module):
    """Returns its input rescaled per channel: squeeze, FC, ReLU, FC, excitation, scale (equations 2 to 4).

    - squeeze: global average or maximum (section 6.2), or none (NoSqueeze, section 7.1): both FCs then act at
      every position and the gate has one value per channel and position.
    - excitation: the last non-linearity alone (section 6.3); the ReLU between the FCs stays.
    - The hidden width is `channels // r` exactly, at least 1; it is not rounded to multiples of 8.
    - fc: linear layers or 1x1 convolutions, equal for equal weights.
    - bias: of both FCs; the released models have it, section 6 removes it.

    Input and output: (N, C, H, W).
    """

    def __init__(
        self,
        channels: int,
        r: int,
        squeeze: str,
        excitation: str,
        fc: str,
        bias: bool,
    ) -> None:
        super().__init__()
        # 16 channels, as in the CIFAR networks, would have no hidden unit at r=32.
        hidden = max(1, channels // r)
        self.channels = channels
        build_fc = FC[fc]
        self.squeeze = SQUEEZE[squeeze]()
        self.fc1 = build_fc(channels, hidden, bias=bias)
        self.relu = nn.ReLU()
        self.fc2 = build_fc(hidden, channels, bias=bias)
        self.excitation = EXCITATION[excitation]()

    def forward(self, u: Tensor, base: Tensor | None = None, factor: float = 1.0) -> Tensor:
        """Return u scaled by its gate or, with `base`, `base + factor * that`: (N, C, H, W), the shape of u."""
        if isinstance(self.squeeze, GlobalAverage) and writes_own_backward():
            link = Link()
            u, z = SqueezeMap.apply(u, self.squeeze, link)
            s = self.compute_gate(z)
            scaled: Tensor = ScaleMap.apply(u, s, base, factor, link)
            return scaled
        s = self.compute_gate(self.squeeze(u))
        return scale_map(u, s, base, factor)

    def compute_gate(self, z: Tensor) -> Tensor:
        """Return s for z, in its shape."""
        hidden = self.relu(self.fc1(z))
        s: Tensor = self.excitation(self.fc2(hidden))
        return s


Gate = Callable[[str, int], nn.Module]
"""Answers what stands at a site of one stage's units, asked by (site, channels)."""


@dataclass(frozen=True, kw_only=True)
class SEPlan:
    """One point of the paper's grid as a network sees it: an answer to "what stands at this site?".

    `r=None` or `stages=()` is the network without SE. Stages are the paper's numbers (conv2_x is 2).

    Raises:
        ValueError: a value outside its axis; the message names the legal ones.
    """

    r: int | None
    squeeze: str = "avg"
    excitation: str = "sigmoid"
    stages: tuple[int, ...]
    placement: str = "standard"
    fc: str = "linear"
    bias: bool

    def __post_init__(self) -> None:
        r: int | str = "none"
        if self.r is not None:
            r = self.r
        check_axes(r, self.squeeze, self.excitation, self.placement)
        require_choice("fc", self.fc, FC)

    def gate(self, site: str, stage: int, channels: int) -> SEBlock | nn.Identity:
        """Return what stands at a site of a unit of a stage: an SE block over `channels`, or nothing."""
        if self.r is None or site != self.placement or stage not in self.stages:
            return nn.Identity()
        # The one line of the package that builds a block: whatever stands at a site has come by here.
        return SEBlock(channels, self.r, self.squeeze, self.excitation, self.fc, self.bias)

    def at_stage(self, stage: int) -> Gate:
        """Return the plan as the units of one stage ask it."""

        def gate_of_stage(site: str, channels: int) -> nn.Module:
            return self.gate(site, stage, channels)

        return gate_of_stage
