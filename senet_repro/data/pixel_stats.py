"""Mean and standard deviation of the training pictures of a set, as they are normalised by (data floor)."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from senet_repro.config.picture_folders import TRAIN
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.data.coco import list_picture_files
from senet_repro.data.decode import decode_file
from senet_repro.data.folder import load_part
from senet_repro.data.sets import load_in_memory
from senet_repro.data.shapes import load_shapes
from senet_repro.data.workers import build_loader, end_workers, iterate_batches

# Pictures that a worker looks at before it answers.
_CHUNK = 64
_CHANNELS = 3


@dataclass(frozen=True)
class PixelSums:
    """Sums over pixels, exact: how many there are, and of each channel the values and their squares."""

    images: int = 0
    pixels: int = 0
    values: tuple[int, ...] = (0,) * _CHANNELS
    squares: tuple[int, ...] = (0,) * _CHANNELS

    def __add__(self, other: PixelSums) -> PixelSums:
        return PixelSums(
            self.images + other.images,
            self.pixels + other.pixels,
            tuple(map(sum, zip(self.values, other.values, strict=True))),
            tuple(map(sum, zip(self.squares, other.squares, strict=True))),
        )

    @property
    def mean(self) -> list[float]:
        """Return the mean of each channel, on the 0..255 scale."""
        return [total / self.pixels for total in self.values]

    @property
    def std(self) -> list[float]:
        """Return the standard deviation of each channel over all pixels, on the 0..255 scale."""
        deviations = []
        for total, squares in zip(self.values, self.squares, strict=True):
            # In whole numbers, since the difference of two large floats would lose digits.
            scaled_variance = self.pixels * squares - total**2
            deviations.append(math.sqrt(scaled_variance) / self.pixels)
        return deviations


def sum_training_pixels(
    data: Data, num_workers: int, report: Callable[[int, int], None]
) -> PixelSums:
    """Return the sums over every pixel of the training pictures, decoded, and neither cut nor scaled.

    `num_workers` processes decode files (0: this one); `report` is told how many pictures are done, and of how many.

    Raises:
        DataError: the set is not there, or a picture cannot be read and `data.skip_corrupt` does not leave it out.
    """
    if data.kind == "memory":
        return _sum_images(load_in_memory(data).train.images)
    if data.kind == "drawn":
        drawn, _ = load_shapes(data)
        return _sum_images(torch.stack([drawn.load_picture(index) for index in range(len(drawn))]))
    files = _list_training_files(data)
    total = PixelSums()
    for end, found in _sum_chunks(_SummedChunks(files, data.skip_corrupt), num_workers):
        if isinstance(found, DataError):
            raise found
        total += found
        report(end, len(files))
    return total


def _list_training_files(data: Data) -> np.ndarray:
    """Return the training pictures of a set in files (N,), a numpy array of bytes."""
    if data.kind == "boxes":
        return list_picture_files(data, TRAIN)
    return load_part(data, TRAIN).files


def _sum_images(images: Tensor) -> PixelSums:
    """Return the sums over images (N, 3, H, W) uint8."""
    count, _, height, width = images.shape
    values, squares = [], []
    for channel in range(_CHANNELS):
        # A histogram gives both sums exactly, at a pass over the bytes.
        counts = torch.bincount(images[:, channel].flatten(), minlength=256).tolist()
        values.append(sum(value * n for value, n in enumerate(counts)))
        squares.append(sum(value**2 * n for value, n in enumerate(counts)))
    return PixelSums(count, count * height * width, tuple(values), tuple(squares))


class _SummedChunks(Dataset[tuple[int, PixelSums | DataError]]):
    """Chunks of the files: the index at which each ends, and its sums, or the error that a worker would bury."""

    def __init__(self, files: np.ndarray, skip_corrupt: bool) -> None:
        self.files = files
        self.skip_corrupt = skip_corrupt

    def __len__(self) -> int:
        return math.ceil(len(self.files) / _CHUNK)

    def __getitem__(self, chunk: int) -> tuple[int, PixelSums | DataError]:
        end = min((chunk + 1) * _CHUNK, len(self.files))
        total = PixelSums()
        for file in self.files[chunk * _CHUNK : end]:
            try:
                total += _sum_images(decode_file(os.fsdecode(file)).unsqueeze(0))
            except DataError as error:
                if not self.skip_corrupt:
                    return end, error
        return end, total


def _sum_chunks(
    chunks: _SummedChunks, num_workers: int
) -> Iterator[tuple[int, PixelSums | DataError]]:
    loader = build_loader(chunks, num_workers, batch_size=None)
    try:
        yield from iterate_batches(loader)
    finally:
        end_workers(loader)
