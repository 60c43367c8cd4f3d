"""The images of a run as Lightning wants them (tasks floor)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

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
    FileSet,
    FolderBatches,
    TrainFolderBatches,
    load_folders,
)
from senet_repro.data.images import ImageSet
from senet_repro.data.order import EvalSteps, TrainSteps
from senet_repro.data.sets import check_reader, load_in_memory
from senet_repro.data.static_batches import StaticBatches
from senet_repro.training.graph import GraphStrategy
from senet_repro.training.stepped_data import SteppedData


class ImageData(SteppedData):
    """Training and test batches of one image set: normalised float32 (B, 3, H, W), channels_last; labels (B,).

    The order and augmentation of an epoch follow from (seed, epoch) alone.
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
        super().__init__(data, seed, num_workers, verified)
        check_reader(data)
        self.batch_size = batch_size
        self.cutout_px = cutout_px
        self.kept_in = kept_in
        self.normalise = Normalise(data.mean, data.std)
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

    def prepare_data(self) -> None:
        """Fetch the set where `data.download` asks for it; Lightning calls this on one process per node."""
        if self.data.download and self.data.kind == "memory":
            load_in_memory(self.data, self.kept_in)

    def _list_files(self) -> Sequence[FileSet]:
        # Sets in memory are read as a whole, and fail as a whole.
        return load_folders(self.data) if self.data.kind == "folders" else ()

    def _list_skipped(self) -> tuple[Sequence[str], Sequence[str]]:
        return self._train.skipped, self._test.skipped

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
        if self.is_speaker and self.data.kind == "folders":
            left_out = describe_left_out(find_class_folders(self.data))
            if left_out:
                print(left_out, file=sys.stderr)
        self.tell_skipped()

    def train_dataloader(self) -> TrainBatches | StaticBatches | FolderBatches:
        """Return this process's share of the training batches: uint8, or normalised where squares are cut out.

        Static ones are normalised where the step takes them.

        Raises:
            DataError: The batch does not divide over the devices or is larger than the set.
        """
        assert self.trainer is not None
        accumulate = self.trainer.accumulate_grad_batches
        steps = TrainSteps(
            self.num_train, self.batch_size, self.seed, self.process_share, accumulate
        )
        self.begin_steps(steps)
        if isinstance(self._train, ImageSet):
            batches = TrainBatches(self._train, self.data, steps, self.root_device, self.cutout_px)
            is_static = isinstance(self.trainer.strategy, GraphStrategy)
            return StaticBatches(batches) if is_static else batches
        return self._build_folder_batches(self._train, steps)

    def val_dataloader(self) -> EvalBatches | FolderBatches:
        """Return this process's share of the test images: over all processes each exactly once."""
        if isinstance(self._test, ImageSet):
            return self._build_eval_batches(self._test)
        steps = EvalSteps(self.num_eval_images, self.batch_size, self.process_share)
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
        device = self.root_device
        parts = self.trainer.accumulate_grad_batches
        local_batch = choose_eval_batch(images.images.shape[-1], device, parts)
        # A GPU counts its launches. On a CPU each batch fits into the caches, and the whole set would not.
        normalise = self.normalise if device.type == "cuda" else None
        return EvalBatches(images, local_batch, self.process_share, device, normalise)

    def _build_folder_batches(self, files: FileSet, steps: TrainSteps | EvalSteps) -> FolderBatches:
        if isinstance(steps, TrainSteps):
            kind: type[FolderBatches] = TrainFolderBatches
            transform: Transform = train_transform(self.data)
        else:
            kind = FolderBatches
            transform = eval_transform(self.data)
        pin_memory = self.root_device.type == "cuda"
        gpu = self.root_device if self.data.decode == "gpu" else None
        batches = kind(files, transform, steps, self.seed, self.num_workers, pin_memory, gpu)
        # Their decoding processes live until `teardown`.
        self._open.append(batches)
        return batches
