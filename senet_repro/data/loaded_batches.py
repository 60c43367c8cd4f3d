"""Batches that worker processes load in the order of steps, and what is wrong with one of them (data floor)."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from torch.utils.data import Dataset

from senet_repro.data.collate import NoSharedMemory
from senet_repro.data.order import EvalSteps, Key, TrainSteps, derived_seed
from senet_repro.data.workers import UnsentBatch, build_loader, end_workers, iterate_batches


class KeyedBatches(Dataset[Any]):
    """Whole batches by their keys; what is wrong is returned, since a worker would bury it in a traceback."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __getitems__(self, keys: list[Key]) -> Any:
        # All at once: between two pictures each would take nine times as long.
        seeds = [derived_seed(self.seed, *key) for key in keys]
        indices = [index for _, index in keys]
        try:
            return self._load_batch(indices, seeds)
        except ValueError as error:
            return error
        except NoSharedMemory as error:
            return UnsentBatch(str(error))

    @abstractmethod
    def _load_batch(self, indices: list[int], seeds: list[int]) -> Any:
        """Return the images at these places of the set, each with the seed of what is random about it."""


class LoadedBatches:
    """The batches of one process, each loaded whole by a worker and finished here."""

    def __init__(
        self,
        batches: KeyedBatches,
        steps: TrainSteps | EvalSteps,
        num_workers: int,
        pin_memory: bool,
    ) -> None:
        """Load `batches` in `num_workers` processes (0: in this one), in the order of `steps`."""
        # Lightning looks for `set_epoch` under both names.
        self.sampler = steps
        self.batch_sampler = steps
        self._loader = build_loader(
            batches,
            num_workers,
            batch_sampler=steps,
            pin_memory=pin_memory,
        )
        # At the end of this process workers are sent SIGTERM and waited for, and they do not hear it.
        weakref.finalize(self, end_workers, self._loader)

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Any]:
        # A generator, so that workers set off at the first batch: Lightning calls iter() before `set_epoch` when
        # it resumes, and a DataLoader would at once prefetch the wrong epoch.
        for batch in iterate_batches(self._loader):
            try:
                finished = self._open_batch(batch)
            except ValueError:
                self.close_workers()
                raise
            yield finished

    def _open_batch(self, batch: Any) -> Any:
        if isinstance(batch, ValueError):
            raise batch
        return self._finish_batch(batch)

    @abstractmethod
    def _finish_batch(self, batch: Any) -> Any:
        """Return a batch as training takes it, of what a worker loaded.

        Raises:
            ValueError: it cannot be finished; the message names the file.
        """

    def close_workers(self) -> None:
        """End the worker processes; a later iteration starts new ones."""
        end_workers(self._loader)


class TrainingBatches(LoadedBatches):
    """The batches of training, which differ from epoch to epoch and go on where a resumed run was."""

    sampler: TrainSteps

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of `epoch`, counted from 0."""
        self.sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[Any]:
        self.sampler.start_epoch()
        yield from self.sampler.count_taken(super().__iter__())
