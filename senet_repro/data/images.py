"""Image sets as tensors."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Images (N, 3, H, W) uint8 in RGB and their labels (N,) int64, both on the CPU."""

    images: Tensor
    labels: Tensor
    skipped: tuple[str, ...] = ()  # where those lay that could not be read

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Split:
    """The training and the test images of one set."""

    train: ImageSet
    test: ImageSet
