"""Measure the metrics of classification as exact sums over images (tasks floor)."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

from senet_repro.results.outcomes import MOST_RANKS


def rank_classes(logits: Tensor) -> Tensor:
    """Return the likeliest classes of each image, the best one first: int64 (N, 5), or (N, classes) of fewer classes.

    `logits` are (N, classes). One ranking serves all errors and outcomes, so that ties are broken alike in each.
    """
    ranks = min(MOST_RANKS, logits.shape[1])
    return logits.detach().topk(ranks, dim=1).indices


def find_hits(likeliest: Tensor, labels: Tensor) -> Tensor:
    """Return at which of its likeliest classes (N, k) each image has its label (N,): bool (N, k)."""
    return likeliest.eq(labels.unsqueeze(1))


class TopKError(Metric):
    """The share of images whose label is not among the `k` likeliest classes, in percent."""

    hits: Tensor
    images: Tensor

    def __init__(self, k: int) -> None:
        super().__init__()
        assert k <= MOST_RANKS, k
        self.k = k
        self.add_state("hits", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, hits: Tensor, images: int) -> None:
        """Add a batch of so many images; `hits` is what `find_hits` returns."""
        self.hits += hits[:, : self.k].sum()
        self.images += images

    def compute(self) -> Tensor:
        """Return the error over all images in percent, float64 of shape ()."""
        # torch divides integers in float32, which would round the percentage.
        return 100 * (1 - self.hits.double() / self.images)
