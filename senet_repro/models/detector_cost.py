"""Count what a detector costs, in the convention of `cost.py` (models floor)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from senet_repro.config.schema import Run
from senet_repro.models.detector import REGION_PX, Detector, build_detector
from senet_repro.models.registry import network_of
from senet_repro.models.se import SEBlock

# Pictures are padded to multiples of it.
_STRIDE_PX = 32


def count_detector(run: Run) -> tuple[int, int]:
    """Return the trainable parameters of a run's detector, and the multiply-adds of one evaluation picture.

    The picture is the largest one: its shorter side is `data.eval_px`, its longer one `data.most_px`. All the regions
    are counted that are read of a picture at most. Frozen layers are computed, but not trained.

    Counted are, as for a classifier, convolutions, linear layers and what a squeeze pools. fvcore, which counts those,
    cannot trace a detector without computing it, and torch's own counter can.
    """
    longer_px = run.data.most_px
    # Every run of detection was checked to state it.
    assert longer_px is not None
    # Shapes are enough, and cost nothing.
    with torch.device("meta"):
        detector = build_detector(network_of(run), run).eval()
        picture = torch.zeros(1, 3, _pad_side(run.data.eval_px), _pad_side(longer_px))
        regions = torch.zeros(
            run.detection.eval_proposals,
            run.detection.pyramid_channels,
            REGION_PX,
            REGION_PX,
        )
    params = sum(p.numel() for p in detector.parameters() if p.requires_grad)
    return params, count_dense_macs(_DensePasses(detector), picture, regions)


def count_dense_macs(net: nn.Module, *inputs: Tensor) -> int:
    """Return the multiply-adds of one forward pass of a network: convolutions, linear layers and squeezes."""
    pooled: list[int] = []

    def count_pooled(block: nn.Module, block_inputs: tuple[Tensor, ...]) -> None:
        if not isinstance(block.squeeze, nn.Identity):
            pooled.append(block_inputs[0].numel())

    blocks = [module for module in net.modules() if isinstance(module, SEBlock)]
    hooks = [block.register_forward_pre_hook(count_pooled) for block in blocks]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*inputs)
    for hook in hooks:
        hook.remove()
    # It counts a multiplication and an addition each by itself.
    macs = int(counter.get_total_flops()) // 2
    return macs + sum(pooled)


class _DensePasses(nn.Module):
    """Everything of a detector that is computed alike for each picture of a size; what is chosen in between is not."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.backbone = detector.backbone
        self.proposer = detector.rpn.head
        self.box_head = detector.roi_heads.box_head
        self.box_predictor = detector.roi_heads.box_predictor

    def forward(self, picture: Tensor, regions: Tensor) -> None:
        """Compute the pyramid and the proposals of a picture (1, 3, H, W), and read regions (R, C, 7, 7)."""
        levels = list(self.backbone(picture).values())
        self.proposer(levels)
        self.box_predictor(self.box_head(regions))


def _pad_side(side_px: int) -> int:
    """Return the side that a picture is padded to."""
    return math.ceil(side_px / _STRIDE_PX) * _STRIDE_PX
