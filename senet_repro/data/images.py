"""Image sets as tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Images (N, 3, H, W) uint8 in RGB, in any memory format, and their labels (N,) int64, both on the CPU."""

    images: Tensor
    labels: Tensor
    skipped: tuple[str, ...] = ()  # files, or rows of files, that could not be read

    def __len__(self) -> int:
        return len(self.labels)

    def reduce_to(self, side_px: int) -> ImageSet:
        """Return the set with each image reduced to `side_px` a side, a part of its own: means of boxes, rounded."""
        factor = self.images.shape[-1] // side_px
        if factor == 1:
            return self
        sums = torch.zeros(*self.images.shape[:2], side_px, side_px, dtype=torch.int16)
        for top in range(factor):
            for left in range(factor):
                # One pixel of each box; sums of 16 pixels fit into 16 bits.
                sums += self.images[:, :, top::factor, left::factor]
        num_pixels = factor**2
        means = (sums + num_pixels // 2) // num_pixels
        return replace(self, images=means.to(torch.uint8))

    def count_all(self) -> int:
        """Return how many images the files held, those that could not be read included."""
        return len(self) + len(self.skipped)


@dataclass(frozen=True)
class Split:
    """The training and the test images of one set."""

    train: ImageSet
    test: ImageSet
