"""Measures that several tasks share, as exact sums over images (training floor)."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class MeanLoss(Metric):
    """The mean loss of all images."""

    total: Tensor
    images: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, loss: Tensor, images: int) -> None:
        """Add a batch of so many images; `loss` is its mean."""
        # Under mixed precision a loss may be a half, which its product with the images would round.
        self.total += loss.detach().float() * images
        self.images += images

    def compute(self) -> Tensor:
        """Return the mean over all images, float64 of shape ()."""
        return self.total / self.images
