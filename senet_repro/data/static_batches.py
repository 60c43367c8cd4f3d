"""Batches for a step whose operations are fixed, such as one that a CUDA graph replays (data floor)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import torch

from senet_repro.data.batches import Batch, TrainBatches


class StaticBatches:
    """The training batches of a set in memory, each taken by the same operations on tensors that stay where they are.

    An epoch's steps are rows of these tensors, and which row is next stands on the device too. So the host has no say
    in a step: as an iterable this yields nothing but itself, once for each pending step of the epoch.
    """

    def __init__(self, batches: TrainBatches) -> None:
        """Take the same batches as `batches`, in the same order."""
        self.batches = batches
        # Lightning looks for `set_epoch` under this name.
        self.sampler = batches.sampler
        shape = (len(batches), batches.sampler.batch_size)
        # First pixels, labels and, with cutout, centres.
        num_tensors = 3 if batches.cutout_px else 2
        self._epoch = torch.zeros(num_tensors, *shape, dtype=torch.int64, device=batches.device)
        self.position = torch.zeros(1, dtype=torch.int64, device=batches.device)
        """The row of the next step (1,), counted from the first pending one; the only tensor that a step changes."""

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[StaticBatches]:
        # A generator for the same reason as that of `TrainBatches`.
        pending = torch.stack(self.batches.begin_epoch())
        num_pending = pending.shape[1]
        self._epoch[:, :num_pending] = pending
        self.position.zero_()
        yield from self.sampler.count_taken(repeat(self, num_pending))

    def take_batch(self) -> Batch:
        """Return the next batch, normalised float32, and go on to the one after it.

        Nothing but operations on the device: a graph may hold them.
        """
        step = self._epoch.index_select(1, self.position)
        self.position += 1
        images, labels = self.batches.cut_batch(*step[:, 0])
        return self.batches.normalise(images), labels
