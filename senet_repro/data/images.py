"""Image sets as tensors."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Images (N, 3, H, W) uint8 in RGB and their labels (N,) int64, both on the CPU."""

    images: Tensor
    labels: Tensor
    skipped: tuple[str, ...] = ()  # files, or rows of files, that could not be read

    def __len__(self) -> int:
        return len(self.labels)

    def count_all(self) -> int:
        """Return how many images the files held, those that could not be read included."""
        return len(self) + len(self.skipped)


@dataclass(frozen=True)
class Split:
    """The training and the test images of one set."""

    train: ImageSet
    test: ImageSet
