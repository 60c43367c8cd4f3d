"""Sets in class folders, such as ImageNet (section 6): files with their labels, decoded and cut by worker processes."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from senet_repro.config.class_folders import find_class_folders
from senet_repro.config.picture_folders import (
    EVAL,
    TRAIN,
    ClassFolders,
    refuse_empty_classes,
)
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.data.batches import Batch
from senet_repro.data.collate import collate_pictures
from senet_repro.data.crops import Transform
from senet_repro.data.decode import decode_file
from senet_repro.data.gpu_decode import EncodedBatch, GpuDecoder, read_encoded
from senet_repro.data.loaded_batches import KeyedBatches, LoadedBatches, TrainingBatches
from senet_repro.data.order import EvalSteps, TrainSteps


@dataclass(frozen=True)
class FileSet:
    """Image files (N,) as a numpy array of bytes and their labels (N,) int64."""

    # An array of bytes and no list of strings: a million Python objects would be copied into every worker.
    files: np.ndarray
    labels: Tensor
    skipped: tuple[str, ...] = ()  # files that could not be read

    @property
    def sizes(self) -> None:
        """Return no sizes: the images may have any."""
        return

    def leave_out(self, names: Collection[str]) -> FileSet:
        """Return the set without the files of these names, as its `skipped`.

        Raises:
            DataError: Nothing would be left of a class.
        """
        # Of `names` only this set's own files: the same list serves the training and the validation files.
        is_kept = np.isin(self.files, [os.fsencode(name) for name in names], invert=True)
        skipped = tuple(os.fsdecode(file) for file in self.files[~is_kept])
        labels = self.labels[torch.from_numpy(is_kept)]
        has_lost_a_class = set(labels.tolist()) != set(self.labels.tolist())
        if has_lost_a_class:
            raise DataError(
                f"no image of a class can be read, such as {skipped[0]}: fetch them again"
            )
        return FileSet(self.files[is_kept], labels, skipped)

    def __len__(self) -> int:
        return len(self.labels)


def load_folders(data: Data) -> tuple[FileSet, FileSet]:
    """Return the training and the validation files under `data.root`.

    Labels number the class folders in the order of their names; those of a part of ImageNet, for a network with all of
    its outputs, are their places among all 1,000 classes.

    Raises:
        DataError: train/ or val/ is missing, their classes differ or are too many, or a class has no images.
    """
    classes = find_class_folders(data)
    return _list_files(classes, TRAIN), _list_files(classes, EVAL)


def load_part(data: Data, part: str) -> FileSet:
    """Return the files of one part under `data.root`, train or val; the other one need not be there.

    Raises:
        DataError: as for `load_folders`.
    """
    return _list_files(find_class_folders(data, [part]), part)


def _list_files(classes: ClassFolders, part: str) -> FileSet:
    """Return the pictures of each folder of a part, sorted by their names, with their labels."""
    # An array for each folder: of millions of pictures no Python object outlives its folder.
    files: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    empty: list[Path] = []
    numbers = classes.numbers
    for folder in classes.list_folders(part):
        pictures = folder.list_pictures()
        if not pictures:
            empty.append(folder.path)
        # As bytes: to join millions of paths takes minutes.
        above = os.fsencode(folder.path) + b"/"
        files.append(np.array([above + os.fsencode(name) for name in pictures], dtype=bytes))
        labels.append(
            np.array([numbers[name] for name in folder.name_classes(pictures)], dtype=int)
        )
    refuse_empty_classes(empty)
    return FileSet(np.concatenate(files), torch.from_numpy(np.concatenate(labels)))


class _DecodedBatches(KeyedBatches):
    """Batches of pictures, decoded and cut."""

    def __init__(self, files: FileSet, seed: int, transform: Transform) -> None:
        super().__init__(seed)
        self.files = files
        self.transform = transform

    def _load_batch(self, indices: list[int], seeds: list[int]) -> Batch:
        pictures = map(self._decode_image, indices, seeds)
        return collate_pictures(pictures, len(indices)), self.files.labels[indices]

    def _decode_image(self, index: int, seed: int) -> Tensor:
        image = decode_file(os.fsdecode(self.files.files[index]))
        return self.transform(image, seed)


class _EncodedBatches(KeyedBatches):
    """Batches of files for a GPU to decode."""

    def __init__(self, files: FileSet, seed: int) -> None:
        super().__init__(seed)
        self.files = files

    def _load_batch(self, indices: list[int], seeds: list[int]) -> EncodedBatch:
        return read_encoded(self.files.files, indices, seeds, self.files.labels[indices])


class FolderBatches(LoadedBatches):
    """Batches that worker processes decode from files: uint8 (B, 3, px, px) channels_last and labels (B,).

    The random parameters of an image depend on (seed, epoch, index) alone, whatever the number of workers.
    """

    def __init__(
        self,
        files: FileSet,
        transform: Transform,
        steps: TrainSteps | EvalSteps,
        seed: int,
        num_workers: int,
        pin_memory: bool,
        gpu: torch.device | None = None,
    ) -> None:
        """Decode `files` in `num_workers` processes (0: in this one), in the order of `steps`.

        With a `gpu` it decodes what they read, and the images lie there.

        Raises:
            ConfigError: the `gpu` is none, or has no decoder.
        """
        self._decoder = GpuDecoder(files.files, transform, gpu) if gpu is not None else None
        batches: KeyedBatches = _DecodedBatches(files, seed, transform)
        if self._decoder is not None:
            batches = _EncodedBatches(files, seed)
        super().__init__(batches, steps, num_workers, pin_memory)

    def _finish_batch(self, batch: Batch | EncodedBatch) -> Batch:
        if not isinstance(batch, EncodedBatch):
            return batch
        assert self._decoder is not None
        return self._decoder.finish_batch(batch)


class TrainFolderBatches(TrainingBatches, FolderBatches):
    """The batches of training, which differ from epoch to epoch and go on where a resumed run was."""
