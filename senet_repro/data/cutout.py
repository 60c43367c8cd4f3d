"""Cutout (DeVries and Taylor 2017): in each training image one square becomes the mean colour."""

from __future__ import annotations

import torch
from torch import Tensor

from senet_repro.data.order import TrainSteps

STREAM = 0  # a stream of its own leaves order, crops and flips as they are without cutout


def draw_centres(steps: TrainSteps, side_px: int) -> Tensor:
    """The pixel, numbered row by row, at the centre of each position's square (N,): uniform over the image."""
    return torch.randint(side_px**2, (steps.num_images,), generator=steps.generator(STREAM))


def cut_out(images: Tensor, centres: Tensor, cutout_px: int) -> Tensor:
    """Zero, in place, the squares around `centres` (B,) in normalised `images` (B, C, side, side), channels_last.

    What overhangs is lost. A square of an even side reaches one pixel further up and left, as in its authors' code.
    """
    channels, side = images.shape[1:3]
    rows = _outside(centres // side, side, cutout_px)
    columns = _outside(centres % side, side, cutout_px).repeat_interleave(channels, 1)
    # As (image, row, column and channel) one pass does it; a mask of pixels over three channels takes thrice as long.
    kept = torch.maximum(rows[:, :, None], columns[:, None, :])
    images.permute(0, 2, 3, 1).view(len(images), side, side * channels).mul_(kept)
    return images


def _outside(centres: Tensor, side: int, cutout_px: int) -> Tensor:
    """1 for each row (or column) outside the squares whose middle ones are `centres` (B,), else 0; (B, side)."""
    distance = torch.arange(side, device=centres.device) - centres[:, None] + cutout_px // 2
    return ((distance < 0) | (distance >= cutout_px)).float()
