"""Cutout (DeVries and Taylor 2017): in each training image one square becomes the mean colour."""

from __future__ import annotations

import torch
from torch import Tensor

from senet_repro.data.order import TrainSteps

# A stream of its own leaves order, crops and flips as they are without cutout.
STREAM = 0


def draw_centres(steps: TrainSteps, side_px: int) -> Tensor:
    """Draw the pixel, numbered row by row, at the centre of each position's square (N,): uniform over the image."""
    generator = steps.make_generator(STREAM)
    num_pixels = side_px**2
    return torch.randint(num_pixels, (steps.num_images,), generator=generator)


def cut_out(images: Tensor, centres: Tensor, cutout_px: int) -> Tensor:
    """Zero, in place, the squares around `centres` (B,) in normalised `images` (B, C, side, side), channels_last.

    The part of a square that overhangs the image is lost. A square of an even side reaches one pixel further up and
    left, as in its authors' code.
    """
    count, channels, side, _ = images.shape
    row_centres = centres // side
    column_centres = centres % side
    kept_rows = _mark_outside(row_centres, side, cutout_px)
    kept_columns = _mark_outside(column_centres, side, cutout_px)
    # With column and channel as one axis a single pass does it; a mask of pixels over three channels takes thrice as
    # long.
    kept_columns = kept_columns.repeat_interleave(channels, 1)
    kept = torch.maximum(
        kept_rows[:, :, None],
        kept_columns[:, None, :],
    )
    # A view, never a copy, of channels_last memory: multiplying it changes `images`.
    by_pixel = images.permute(0, 2, 3, 1)
    by_row = by_pixel.view(count, side, side * channels)
    by_row.mul_(kept)
    return images


def _mark_outside(centres: Tensor, side: int, cutout_px: int) -> Tensor:
    """Return (B, side): 1 for each row (or column) outside the squares whose middle ones are `centres` (B,), else 0."""
    positions = torch.arange(side, device=centres.device)
    first = centres[:, None] - cutout_px // 2
    distance = positions - first
    is_before = distance < 0
    is_behind = distance >= cutout_px
    outside = is_before | is_behind
    return outside.float()
