"""The images of a run as Lightning wants them (tasks floor)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch

from senet_repro.config.class_folders import describe_left_out, find_class_folders
from senet_repro.config.schema import Data
from senet_repro.data.batches import (
    Batch,
    EvalBatches,
    Normalise,
    TrainBatches,
    choose_eval_batch,
)
from senet_repro.data.crops import Transform, eval_transform, train_transform
from senet_repro.data.folder import (
    EvalSteps,
    FileSet,
    FolderBatches,
    TrainFolderBatches,
    load_folders,
)
from senet_repro.data.images import ImageSet
from senet_repro.data.order import Share, TrainSteps
from senet_repro.data.sets import check_reader, load_in_memory
from senet_repro.data.static_batches import StaticBatches
from senet_repro.data.verify import corruption_error, find_corrupt_files
from senet_repro.training.graph import GraphStrategy
from senet_repro.training.task_module import TaskData


class ImageData(TaskData):
    """Training and test batches of one image set: normalised float32 (B, 3, H, W), channels_last; labels (B,).

    The order and augmentation of an epoch follow from (seed, epoch) alone. The trainer must be made with
    `use_distributed_sampler=False`: every process already takes its own share.
    docs/lifecycle.md shows its part in resuming within an epoch.
    """

    def __init__(
        self,
        data: Data,
        batch_size: int,
        seed: int,
        num_workers: int,
        cutout_px: int = 0,
        verified: Path = Path(".verified"),
        kept_in: Path | None = None,
    ) -> None:
        """Describe the data; nothing is read before `setup`.

        Args:
            data: The image set and its augmentation.
            batch_size: Images per training step over all devices.
            seed: Seed of the run.
            num_workers: Decoding processes per device; sets in memory need none.
            cutout_px: Side of the square cut out of each training image, for sets in memory; 0: none.
            verified: Folder in which the outcome of verifying images is kept.
            kept_in: Folder in which decoded sets are kept for other processes; None: they are not.

        Raises:
            DataError: No set has the name `data.name`.
        """
        super().__init__()
        check_reader(data)
        self.data = data
        self.batch_size = batch_size
        self.seed = seed
        self.num_workers = num_workers
        self.cutout_px = cutout_px
        self.verified = verified
        self.kept_in = kept_in
        self.normalise = Normalise(data.mean, data.std)
        self._corrupt: list[str] = []
        self._open: list[FolderBatches] = []
        self._resume_at: dict[str, int] = {}
        self._train: ImageSet | FileSet
        self._test: ImageSet | FileSet

    @property
    def num_train(self) -> int:
        """Number of training images, once set up."""
        return len(self._train)

    @property
    def num_eval_images(self) -> int:
        """Number of test images, once set up."""
        return len(self._test)

    @property
    def skipped(self) -> dict[str, list[str]]:
        """Where the training and test images lay that were left out, once set up; empty if none were."""
        train, test = list(self._train.skipped), list(self._test.skipped)
        if not train and not test:
            return {}
        return {"train": train, "test": test}

    def prepare_data(self) -> None:
        """Fetch the set where `data.download` asks for it; Lightning calls this on one process per node."""
        if self.data.download and self.data.kind == "memory":
            load_in_memory(self.data, self.kept_in)

    def verify(self, pause: Callable[[], None]) -> None:
        """Look at every image where `data.verify` or `data.skip_corrupt` asks for it; to be called before training.

        `pause` is called every few images, and may raise.

        Raises:
            DataError: Images are not readable and are not to be left out; the message names them.
        """
        is_asked_for = self.data.verify or self.data.skip_corrupt
        # Sets in memory are read as a whole, and fail as a whole.
        if self.data.kind != "folders" or not is_asked_for:
            return
        files = load_folders(self.data)
        self._corrupt = find_corrupt_files(files, self.num_workers, self.verified, pause)
        if self._corrupt and not self.data.skip_corrupt:
            raise corruption_error(self._corrupt)

    def setup(self, stage: str | None = None) -> None:
        """Read a set in memory, or list the files of one in folders; `stage` makes no difference.

        Raises:
            DataError: The set is missing or damaged; the message names the files that were looked for.
        """
        if self.data.kind == "memory":
            split = load_in_memory(self.data, self.kept_in)
            self._train, self._test = split.train, split.test
        else:
            train, test = load_folders(self.data)
            corrupt = set(self._corrupt)
            self._train = train.leave_out(corrupt) if corrupt else train
            self._test = test.leave_out(corrupt) if corrupt else test
        # Every process reads the set, and one line is enough.
        is_speaker = self.trainer is not None and self.trainer.is_global_zero
        if is_speaker and self.data.kind == "folders":
            left_out = describe_left_out(find_class_folders(self.data))
            if left_out:
                print(left_out, file=sys.stderr)
        if is_speaker and self.skipped:
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

    def train_dataloader(self) -> TrainBatches | StaticBatches | FolderBatches:
        """Return this process's share of the training batches: uint8, or normalised where squares are cut out.

        Static ones are normalised where the step takes them.

        Raises:
            DataError: The batch does not divide over the devices or is larger than the set.
        """
        assert self.trainer is not None
        accumulate = self.trainer.accumulate_grad_batches
        steps = TrainSteps(
            self.num_train, self.batch_size, self.seed, self._process_share, accumulate
        )
        # Nothing in a new run; in a resumed one the epoch of its checkpoint, and how much of it was taken.
        steps.resume_at(**self._resume_at)
        self._steps = steps
        if isinstance(self._train, ImageSet):
            batches = TrainBatches(self._train, self.data, steps, self._root_device, self.cutout_px)
            is_static = isinstance(self.trainer.strategy, GraphStrategy)
            return StaticBatches(batches) if is_static else batches
        return self._build_folder_batches(self._train, steps)

    def val_dataloader(self) -> EvalBatches | FolderBatches:
        """Return this process's share of the test images: over all processes each exactly once."""
        if isinstance(self._test, ImageSet):
            return self._build_eval_batches(self._test)
        steps = EvalSteps(self.num_eval_images, self.batch_size, self._process_share)
        return self._build_folder_batches(self._test, steps)

    def on_after_batch_transfer(
        self, batch: Batch | StaticBatches, dataloader_idx: int
    ) -> Batch | StaticBatches:
        """Normalise on the device: uint8 images become float32."""
        if isinstance(batch, StaticBatches):
            return batch
        images, labels = batch
        # On the device, since a quarter of the bytes travels there.
        return self.normalise.to(images.device)(images), labels

    def _build_eval_batches(self, images: ImageSet) -> EvalBatches:
        assert self.trainer is not None
        device = self._root_device
        parts = self.trainer.accumulate_grad_batches
        local_batch = choose_eval_batch(images.images.shape[-1], device, parts)
        # A GPU counts its launches. On a CPU each batch fits into the caches, and the whole set would not.
        normalise = self.normalise if device.type == "cuda" else None
        return EvalBatches(images, local_batch, self._process_share, device, normalise)

    def _build_folder_batches(self, files: FileSet, steps: TrainSteps | EvalSteps) -> FolderBatches:
        if isinstance(steps, TrainSteps):
            kind: type[FolderBatches] = TrainFolderBatches
            transform: Transform = train_transform(self.data)
        else:
            kind = FolderBatches
            transform = eval_transform(self.data)
        pin_memory = self._root_device.type == "cuda"
        gpu = self._root_device if self.data.decode == "gpu" else None
        batches = kind(files, transform, steps, self.seed, self.num_workers, pin_memory, gpu)
        # Their decoding processes live until `teardown`.
        self._open.append(batches)
        return batches

    @property
    def _process_share(self) -> Share:
        assert self.trainer is not None
        return Share(self.trainer.global_rank, self.trainer.world_size)

    @property
    def _root_device(self) -> torch.device:
        assert self.trainer is not None
        return self.trainer.strategy.root_device
