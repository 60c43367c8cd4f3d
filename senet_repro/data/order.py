"""Which images make up each step: pure functions of (seed, epoch), the same on any number of processes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from senet_repro.config.validation import check_batch_size
from senet_repro.core.errors import DataError

Key = tuple[int, int]
"""Epoch and index: all that the random parameters of an image depend on beside the seed."""


def derived_seed(seed: int, *key: int) -> int:
    """Return a 64-bit seed of its own for every (seed, *key), such as (seed, epoch) or (seed, epoch, index)."""
    sequence = np.random.SeedSequence(seed, spawn_key=key)
    (word,) = sequence.generate_state(1, np.uint64)
    return int(word)


@dataclass(frozen=True)
class Share:
    """The part of a set that one of `world_size` processes sees."""

    rank: int = 0
    world_size: int = 1

    def slice_steps(self, values: Tensor, batch_size: int) -> Tensor:
        """Return this process's share (steps, batch_size / world_size) of the whole global batches in `values` (N,).

        The shares of one step, concatenated by rank, are the batch of a single process. The last incomplete
        batch is dropped.
        """
        steps = len(values) // batch_size
        local_batch = batch_size // self.world_size
        whole_batches = values[: steps * batch_size]
        by_rank = whole_batches.view(steps, self.world_size, local_batch)
        return by_rank[:, self.rank]

    def slice_images(self, count: int) -> slice:
        """Return this process's share of `count` images: each image in exactly one share, and no padding."""
        return slice(self.rank, count, self.world_size)


class TrainSteps:
    """The training steps of an epoch: shuffled whole batches, without the last incomplete one.

    As an iterable it is one process's batch sampler; it yields the (epoch, index) pairs of each step. It owns
    everything that decides which images a step takes, in this order:

    1. random streams: `make_generator` begins the random numbers of (seed, epoch);
    2. order: `draw_order` shuffles the set with the first of them;
    3. share: `local_share` cuts an epoch into steps, leaves each process its part of a step, and cuts that part
       again into `accumulate` smaller steps;
    4. progress: `taken` counts the steps that training took, and `resume_at` lets an epoch begin after some.

    docs/lifecycle.md shows its part in resuming within an epoch.
    """

    def __init__(
        self,
        num_images: int,
        batch_size: int,
        seed: int,
        share: Share,
        accumulate: int = 1,
        most_steps: int | None = None,
    ) -> None:
        """Plan the steps of one process.

        Args:
            num_images: Size of the training set.
            batch_size: Images per step over all processes.
            seed: Seed of the run.
            share: Which process this is.
            accumulate: Parts in which this process takes its share of a step, each one a step here.
            most_steps: Steps of an epoch at most, each of whole batches; None: as many as the set has.

        Raises:
            DataError: The batch does not divide over the processes and parts or is larger than the set.
        """
        check_batch_size(batch_size, share.world_size, accumulate=accumulate)
        if num_images < batch_size:
            raise DataError(
                f"{num_images} training images do not fill one batch of {batch_size}: "
                f"give recipe.batch_size={num_images} or less"
            )
        self.num_images = num_images
        self.batch_size = batch_size
        self.seed = seed
        self.share = share
        self.accumulate = accumulate
        whole_batches = num_images // batch_size
        self.steps = min(whole_batches, most_steps or whole_batches)
        self.epoch = 0
        # Steps of this epoch that training took.
        self.taken = 0
        self._resume_epoch = 0
        self._resume_taken = 0

    # Random streams

    def make_generator(self, *stream: int) -> torch.Generator:
        """Return a CPU generator at the beginning of this epoch's random numbers, or of a further `stream` of them.

        The order of the images is the first draw of the epoch's own stream.
        """
        seed = derived_seed(self.seed, self.epoch, *stream)
        return torch.Generator().manual_seed(seed)

    # Order

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of `epoch`, counted from 0."""
        self.epoch = epoch

    def draw_order(self) -> Tensor:
        """Return the places (num_images,) int64 of the images in the order in which this epoch takes them."""
        return torch.randperm(self.num_images, generator=self.make_generator())

    def __iter__(self) -> Iterator[list[Key]]:
        for step in self.local_share(self.draw_order()):
            yield [(self.epoch, index) for index in step.tolist()]

    # Share

    def __len__(self) -> int:
        return self.steps * self.accumulate

    def local_share(self, values: Tensor) -> Tensor:
        """Return this process's share (pending steps, local batch) of `values` (num_images,), in this epoch's order."""
        steps = self.share.slice_steps(values[: self.steps * self.batch_size], self.batch_size)
        parts = steps.reshape(len(self), -1)
        return parts[self.taken :]

    # Progress

    def start_epoch(self) -> None:
        """Start to iterate, at the step that a resumed run came to if it was in this epoch."""
        is_resumed = self._resume_epoch == self.epoch
        self.taken = self._resume_taken if is_resumed else 0
        # Only one epoch is resumed; the same epoch, iterated again, begins at its first step.
        self.resume_at(epoch=0, taken=0)

    def count_taken(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield the batches, each counted as taken once it is asked for."""
        for batch in batches:
            self.taken += 1
            yield batch

    def resume_at(self, epoch: int = 0, taken: int = 0) -> None:
        """Let the next iteration of `epoch` begin where `taken` steps of it were taken."""
        self._resume_epoch = epoch
        self._resume_taken = taken


class EvalSteps:
    """The evaluation steps of one process: each image once over all processes, in order, without padding."""

    def __init__(self, num_images: int, batch_size: int, share: Share) -> None:
        """Split `num_images` into batches that count `batch_size` over all processes."""
        self.indices = range(num_images)[share.slice_images(num_images)]
        self.local_batch = batch_size // share.world_size

    def __len__(self) -> int:
        return math.ceil(len(self.indices) / self.local_batch)

    def __iter__(self) -> Iterator[list[Key]]:
        for start in range(0, len(self.indices), self.local_batch):
            batch = self.indices[start : start + self.local_batch]
            # Every epoch evaluates alike, so all have the key of the first.
            yield [(0, index) for index in batch]
