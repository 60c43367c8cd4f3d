"""The data of a task that is resumed within an epoch, and of which files may not be readable (training floor)."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from senet_repro.config.schema import Data
from senet_repro.data.loaded_batches import LoadedBatches
from senet_repro.data.order import Share, TrainSteps
from senet_repro.data.verify import FileList, corruption_error, find_corrupt_files
from senet_repro.training.task_module import TaskData


class SteppedData(TaskData):
    """Training and test batches of one set, of which each process takes its own share.

    The trainer must be made with `use_distributed_sampler=False`.
    docs/lifecycle.md shows its part in resuming within an epoch.
    """

    def __init__(self, data: Data, seed: int, num_workers: int, verified: Path) -> None:
        """Describe the data; nothing is read before `setup`.

        Args:
            data: The set and its augmentation.
            seed: Seed of the run.
            num_workers: Decoding processes per device; sets in memory need none.
            verified: Folder in which the outcome of verifying images is kept.
        """
        super().__init__()
        self.data = data
        self.seed = seed
        self.num_workers = num_workers
        self.verified = verified
        # Files that cannot be read, once they were looked at.
        self._corrupt: list[str] = []
        self._open: list[LoadedBatches] = []
        self._steps: TrainSteps
        self._resume_at: dict[str, int] = {}

    @abstractmethod
    def _list_files(self) -> Sequence[FileList]:
        """Return the files of the training and the test images; none where they lie in no files of their own."""

    @abstractmethod
    def _list_skipped(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return where the training and the test images lay that were left out."""

    @property
    def skipped(self) -> dict[str, list[str]]:
        """Where the training and test images lay that were left out, once set up; empty if none were."""
        train, test = map(list, self._list_skipped())
        if not train and not test:
            return {}
        return {"train": train, "test": test}

    def verify(self, pause: Callable[[], None]) -> None:
        """Look at every image where `data.verify` or `data.skip_corrupt` asks for it; to be called before training.

        `pause` is called every few images, and may raise.

        Raises:
            DataError: Images are not readable and are not to be left out; the message names them.
        """
        if not (self.data.verify or self.data.skip_corrupt):
            return
        files = self._list_files()
        if not files:
            return
        self._corrupt = find_corrupt_files(files, self.num_workers, self.verified, pause)
        if self._corrupt and not self.data.skip_corrupt:
            has_sizes = any(part.sizes is not None for part in files)
            raise corruption_error(self._corrupt, has_sizes)

    def tell_skipped(self) -> None:
        """Say on standard error how many images were left out, in one process alone."""
        if self.is_speaker and self.skipped:
            counts = " and ".join(f"{len(names)} {part}" for part, names in self.skipped.items())
            print(f"left out {counts} images that cannot be read", file=sys.stderr)

    def teardown(self, stage: str | None = None) -> None:
        """End the decoding processes."""
        while self._open:
            self._open.pop().close_workers()

    def state_dict(self) -> dict[str, int]:
        """Return how far training is, for a checkpoint.

        Lightning offers as much for loaders, but forgets it once the schedule has asked for the number of steps.
        """
        return {"epoch": self._steps.epoch, "taken": self._steps.taken}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Let training go on from there, perhaps within an epoch."""
        self._resume_at = state_dict

    def begin_steps(self, steps: TrainSteps) -> None:
        """Let training take these steps, from where a resumed run was."""
        # Nothing in a new run; in a resumed one the epoch of its checkpoint, and how much of it was taken.
        steps.resume_at(**self._resume_at)
        self._steps = steps

    @property
    def is_speaker(self) -> bool:
        """Whether this process is the one that speaks: every process reads the set, and one line is enough."""
        return self.trainer is not None and self.trainer.is_global_zero

    @property
    def process_share(self) -> Share:
        """This process's share of the steps and of the test images."""
        assert self.trainer is not None
        return Share(self.trainer.global_rank, self.trainer.world_size)

    @property
    def root_device(self) -> torch.device:
        """The device of this process."""
        assert self.trainer is not None
        return self.trainer.strategy.root_device
