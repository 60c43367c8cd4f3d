"""Batches of pictures with their objects, each picture of its own size (data floor)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from senet_repro.data.collate import allocate_bytes
from senet_repro.data.loaded_batches import KeyedBatches, LoadedBatches, TrainingBatches
from senet_repro.data.object_set import ObjectSet, find_corners
from senet_repro.data.order import EvalSteps, TrainSteps


class ObjectBatch(NamedTuple):
    """Pictures of one step with their objects."""

    images: list[Tensor]  # uint8 (3, H, W), each of its own size, pixel after pixel in memory
    boxes: list[Tensor]  # float32 (n, 4): x1, y1, x2, y2 in pixels of that picture
    labels: list[Tensor]  # int64 (n,), from 0
    indices: list[int]  # place of each picture in its set


class PackedBatch(NamedTuple):
    """A batch as a process hands it on: one piece of memory, where each tensor alone would cost an open file."""

    pixels: Tensor  # uint8 (bytes of all pictures,), one after the other
    sizes: list[list[int]]  # height and width of each
    boxes: np.ndarray  # float32 (objects of all pictures, 4)
    labels: np.ndarray  # int64 (objects of all pictures,)
    counts: list[int]  # of the objects of each picture
    indices: list[int]


class _PackedBatches(KeyedBatches):
    """Batches of pictures as they are stored, or flipped by chance."""

    def __init__(self, images: ObjectSet, seed: int, *, flip: bool, clip: bool) -> None:
        super().__init__(seed)
        self.images = images
        self.flip = flip
        self.clip = clip

    def _load_batch(self, indices: list[int], seeds: list[int]) -> PackedBatch:
        flips = [self.flip and draw_flip(seed) for seed in seeds]
        sizes = self.images.sizes[indices].tolist()
        areas = _count_bytes(sizes)
        pixels = allocate_bytes(sum(areas))
        places = _split_pictures(pixels, sizes)
        objects = self.images.objects
        boxes = []
        labels = []
        for index, is_flipped, place in zip(indices, flips, places, strict=True):
            picture = self.images.load_picture(index)
            if is_flipped:
                picture = picture.flip(-1)
            place.copy_(picture)
            boxes.append(self._find_boxes(index, is_flipped))
            rows = objects.find_rows(index)
            labels.append(objects.labels[rows])
        return PackedBatch(
            pixels=pixels,
            sizes=sizes,
            boxes=np.concatenate(boxes),
            labels=np.concatenate(labels),
            counts=[len(found) for found in boxes],
            indices=indices,
        )

    def _find_boxes(self, index: int, is_flipped: bool) -> np.ndarray:
        """Return the corners (n, 4) float32 of the objects of a picture."""
        size = self.images.sizes[index]
        objects = self.images.objects
        rows = objects.find_rows(index)
        boxes = objects.boxes[rows]
        corners = find_corners(boxes, size if self.clip else None)
        if is_flipped:
            width = size[1]
            left, upper, right, lower = corners.T
            corners = np.stack([width - right, upper, width - left, lower], axis=1)
        return corners.astype(np.float32)


class ObjectBatches(LoadedBatches):
    """Batches of a set for evaluation: pictures as they are stored, and all boxes as the annotations state them."""

    def __init__(
        self,
        images: ObjectSet,
        steps: EvalSteps,
        seed: int,
        num_workers: int,
        pin_memory: bool,
    ) -> None:
        """Load `images` in `num_workers` processes (0: in this one), in the order of `steps`."""
        batches = _PackedBatches(images, seed, flip=False, clip=False)
        super().__init__(batches, steps, num_workers, pin_memory)

    def _finish_batch(self, batch: PackedBatch) -> ObjectBatch:
        return unpack_batch(batch)


class TrainObjectBatches(TrainingBatches):
    """Batches of a set for training, whose boxes end at the edges of their pictures.

    Whether a picture is flipped depends on (seed, epoch, index) alone, whatever the number of workers.
    """

    def __init__(
        self,
        images: ObjectSet,
        steps: TrainSteps,
        seed: int,
        num_workers: int,
        pin_memory: bool,
        flip: bool,
    ) -> None:
        """Load `images` as `ObjectBatches` does; with `flip` each is flipped with probability 1/2."""
        batches = _PackedBatches(images, seed, flip=flip, clip=True)
        super().__init__(batches, steps, num_workers, pin_memory)

    def _finish_batch(self, batch: PackedBatch) -> ObjectBatch:
        return unpack_batch(batch)


def unpack_batch(batch: PackedBatch) -> ObjectBatch:
    """Return a batch as training takes it; its pictures share one piece of memory."""
    return ObjectBatch(
        images=_split_pictures(batch.pixels, batch.sizes),
        boxes=_split_rows(batch.boxes, batch.counts),
        labels=_split_rows(batch.labels, batch.counts),
        indices=batch.indices,
    )


def _split_pictures(pixels: Tensor, sizes: Sequence[Sequence[int]]) -> list[Tensor]:
    """Return the pictures (3, H, W) of these heights and widths that lie in a piece of memory, one after the other."""
    places = torch.split(pixels, _count_bytes(sizes))
    pictures = []
    for place, (height, width) in zip(places, sizes, strict=True):
        # Pixel after pixel, as decoders give them: to sort them by colour would take a third as long as to decode them.
        by_pixel = place.view(height, width, 3)
        pictures.append(by_pixel.permute(2, 0, 1))
    return pictures


def _count_bytes(sizes: Sequence[Sequence[int]]) -> list[int]:
    """Return how many bytes pictures of these heights and widths take."""
    counts = []
    for height, width in sizes:
        counts.append(3 * height * width)
    return counts


def _split_rows(rows: np.ndarray, counts: Sequence[int]) -> list[Tensor]:
    """Return the rows of each picture."""
    tensor = torch.from_numpy(rows)
    return list(torch.split(tensor, list(counts)))


def draw_flip(seed: int) -> bool:
    """Return whether a picture is flipped, by its own seed: with probability 1/2."""
    # Seeds are hashes, and each of their bits is as good as a coin.
    return seed % 2 == 1
