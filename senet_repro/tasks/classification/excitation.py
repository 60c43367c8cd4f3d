"""The gates of a classifier over evaluation images, as sums by class (section 7.2; tasks floor).

Two passes over the images: the first adds up gates, the second re-scores the network with the gates of each block held
at their means, so that they recalibrate nothing by the image any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from senet_repro.data.order import Share
from senet_repro.models.gates import hold_gates, watch_gates
from senet_repro.models.layers import Classifier
from senet_repro.models.se import SEBlock
from senet_repro.stats.gates import NEAR_ONE, GroupedSums
from senet_repro.tasks.classification.evaluation import EvalBatch, Report

GROUPS = 10
"""Into so many groups images are dealt, for standard errors over images."""


def deal_groups(images: int) -> Tensor:
    """Return the group of each image, (N,) int64: the same at each call, of sizes that differ by one at most."""
    generator = torch.Generator().manual_seed(0)
    return torch.randperm(images, generator=generator) % GROUPS


class _BlockSums:
    """Sums of the gates of one block, by group of images and class."""

    def __init__(self, classes: int, channels: int) -> None:
        self._classes = classes
        self.sums = torch.zeros(GROUPS * classes, channels, dtype=torch.float64)
        self.squares = torch.zeros(GROUPS, channels, dtype=torch.float64)
        self.near_one = torch.zeros(GROUPS, dtype=torch.float64)

    def add_batch(self, gates: Tensor, labels: Tensor, groups: Tensor) -> None:
        """Add gates (N, C) of images with labels and groups (N,), all on the CPU."""
        precise = gates.double()
        self.sums.index_add_(0, groups * self._classes + labels, precise)
        self.squares.index_add_(0, groups, precise.square())
        near_one = (gates > NEAR_ONE).sum(dim=1)
        self.near_one.index_add_(0, groups, near_one.double())


@dataclass(frozen=True)
class GateReading:
    """The gates of a network's blocks over all images."""

    sums: dict[str, GroupedSums]  # by the block's name
    # Of each image that is shown by itself, by its index in the set: the gates (C,) of each block.
    kept: dict[int, dict[str, np.ndarray]]
    hits: np.ndarray  # (G,) images of each group whose label is the likeliest class
    labels: list[int]  # of every image of the set


class GateReader:
    """Adds up the gates of a network while it computes batch after batch."""

    def __init__(
        self, blocks: Mapping[str, SEBlock], labels: Tensor, classes: int, kept: Iterable[int]
    ) -> None:
        """Read these blocks; `labels` (N,) are of all images of the set, and `kept` are indices of those to keep."""
        self._blocks = blocks
        self._labels = labels
        self._classes = classes
        self._groups = deal_groups(len(labels))
        self._sums = {name: _BlockSums(classes, block.channels) for name, block in blocks.items()}
        self._wanted = set(kept)
        self._kept: dict[int, dict[str, np.ndarray]] = {}
        self._hits = torch.zeros(GROUPS, dtype=torch.float64)

    def read_batch(self, net: Classifier, batch: EvalBatch) -> None:
        """Let the network compute a batch, and add its gates."""
        groups = self._groups[batch.indices]

        def add_gates(name: str, gates: Tensor) -> None:
            own = gates.cpu()
            self._sums[name].add_batch(own, batch.labels, groups)
            self._keep_rows(name, own, batch.indices)

        with watch_gates(self._blocks, add_gates):
            likeliest = net(batch.pictures).argmax(dim=1).cpu()
        self._hits.index_add_(0, groups, (likeliest == batch.labels).double())

    def finish(self, share: Share) -> GateReading:
        """Return what all processes have read."""
        _add_up([self._hits], share)
        grouped = {}
        # Images are counted by their labels, which every process knows.
        counts = torch.bincount(
            self._groups * self._classes + self._labels, minlength=GROUPS * self._classes
        )
        for name, own in self._sums.items():
            _add_up([own.sums, own.squares, own.near_one], share)
            grouped[name] = GroupedSums(
                counts.view(GROUPS, self._classes).numpy(),
                own.sums.view(GROUPS, self._classes, -1).numpy(),
                own.squares.numpy(),
                own.near_one.numpy(),
            )
        kept = _gather(self._kept, share)
        return GateReading(grouped, kept, self._hits.numpy(), self._labels.tolist())

    def _keep_rows(self, name: str, gates: Tensor, indices: Sequence[int]) -> None:
        for row, index in enumerate(indices):
            if index in self._wanted:
                self._kept.setdefault(index, {})[name] = gates[row].double().numpy()


class HeldGates:
    """Counts the images that a network gets right with the gates of one block after another held at their means."""

    def __init__(self, blocks: Mapping[str, SEBlock], means: Mapping[str, Tensor]) -> None:
        """Hold these blocks, each at its mean gates (C,) on the device of the network."""
        self._blocks = blocks
        self._means = means
        self._hits = {name: torch.zeros(GROUPS, dtype=torch.float64) for name in blocks}

    def score_batch(self, net: Classifier, batch: EvalBatch, groups: Tensor) -> None:
        """Let the network compute a batch once for each block; `groups` (N,) are those of its images."""
        for name, block in self._blocks.items():
            with hold_gates(block, self._means[name]):
                likeliest = net(batch.pictures).argmax(dim=1).cpu()
            self._hits[name].index_add_(0, groups, (likeliest == batch.labels).double())

    def finish(self, share: Share) -> dict[str, np.ndarray]:
        """Return for each block the images of each group (G,) that all processes found right."""
        _add_up(list(self._hits.values()), share)
        return {name: hits.numpy() for name, hits in self._hits.items()}


@torch.inference_mode()
def read_batches(
    batches: Iterable[EvalBatch], visit: Callable[[EvalBatch], None], report: Report
) -> None:
    """Visit each batch of a pass, without gradients, and report how many images this process has seen."""
    seen = 0
    for batch in batches:
        visit(batch)
        seen += len(batch.indices)
        report(seen)


def _add_up(tensors: Sequence[Tensor], share: Share) -> None:
    """Replace each tensor by its sum over all processes."""
    if share.world_size == 1:
        return
    for tensor in tensors:
        torch.distributed.all_reduce(tensor)


def _gather(
    kept: dict[int, dict[str, np.ndarray]], share: Share
) -> dict[int, dict[str, np.ndarray]]:
    """Return the kept images of all processes, in the order of the set."""
    if share.world_size == 1:
        return dict(sorted(kept.items()))
    parts: list[dict[int, dict[str, np.ndarray]] | None] = [None] * share.world_size
    torch.distributed.all_gather_object(parts, kept)
    together: dict[int, dict[str, np.ndarray]] = {}
    for part in parts:
        together |= part or {}
    return dict(sorted(together.items()))
