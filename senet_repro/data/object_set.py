"""Pictures with the boxes of the objects in them, as compact arrays (data floor).

A worker process shares the memory of arrays with the process that started it; a list of a million objects would be
copied into each of them.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from senet_repro.core.errors import DataError
from senet_repro.data.decode import decode_file

# A box that is narrower has no area: in 32-bit floats its edges may fall together, left or right in the picture.
LEAST_PX = 0.001


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of N pictures, flat, in the order of the annotations within each picture."""

    offsets: np.ndarray  # (N+1,) int64: picture i has the rows offsets[i]:offsets[i+1]
    # (M, 4) float64: x, y, width and height in pixels, as the annotations state them.
    boxes: np.ndarray
    labels: np.ndarray  # (M,) int64: place of the category among those of the set, from 0
    is_crowd: np.ndarray  # (M,) bool: a box around many objects that nobody told apart
    areas: np.ndarray  # (M,) float64: pixels of the object, which may fill a part of its box

    def find_rows(self, index: int) -> slice:
        """Return the rows of one picture."""
        start, end = self.offsets[index : index + 2].tolist()
        return slice(start, end)

    def count_by_picture(self) -> np.ndarray:
        """Return how many objects each picture has, (N,) int64."""
        return np.diff(self.offsets)

    def name_pictures(self) -> np.ndarray:
        """Return the place of the picture that each object is in, (M,) int64."""
        counts = self.count_by_picture()
        return np.repeat(np.arange(len(counts)), counts)

    def select_rows(self, is_kept: np.ndarray) -> Objects:
        """Return the objects that (M,) bool says, of the same pictures."""
        kept_until = np.cumsum(is_kept)
        kept_before = np.concatenate([[0], kept_until])
        return Objects(
            offsets=kept_before[self.offsets],
            boxes=self.boxes[is_kept],
            labels=self.labels[is_kept],
            is_crowd=self.is_crowd[is_kept],
            areas=self.areas[is_kept],
        )

    def select_pictures(self, is_kept: np.ndarray) -> Objects:
        """Return the objects of the pictures that (N,) bool says."""
        counts = self.count_by_picture()
        kept = self.select_rows(np.repeat(is_kept, counts))
        ends = np.cumsum(counts[is_kept])
        offsets = np.concatenate([[0], ends])
        return replace(kept, offsets=offsets)


class Pictures(Protocol):
    """Where the pictures of a set come from."""

    def load_picture(self, index: int) -> Tensor:
        """Return a picture, uint8 (3, H, W).

        Raises:
            DataError: it cannot be read; the message names the file.
        """
        ...

    def name_picture(self, index: int) -> str:
        """Return the name of a picture for messages."""
        ...

    def select_pictures(self, is_kept: np.ndarray) -> Pictures:
        """Return the pictures that (N,) bool says."""
        ...


@dataclass(frozen=True, eq=False)
class PictureFiles:
    """Pictures in files (N,), a numpy array of bytes, and the height and width (N, 2) that they must have."""

    files: np.ndarray
    sizes: np.ndarray

    def load_picture(self, index: int) -> Tensor:
        """Return the picture in a file, uint8 (3, H, W); raises as `decode_file`."""
        return decode_file(self.name_picture(index))

    def name_picture(self, index: int) -> str:
        """Return the path of a file."""
        return os.fsdecode(self.files[index])

    def select_pictures(self, is_kept: np.ndarray) -> PictureFiles:
        """Return the files that (N,) bool says."""
        return PictureFiles(self.files[is_kept], self.sizes[is_kept])


@dataclass(frozen=True, eq=False)
class DrawnPictures:
    """Pictures in memory, uint8 (N, 3, H, W)."""

    pixels: np.ndarray

    def load_picture(self, index: int) -> Tensor:
        """Return a picture, uint8 (3, H, W)."""
        return torch.from_numpy(self.pixels[index])

    def name_picture(self, index: int) -> str:
        """Return the number of a picture."""
        return f"drawn picture {index}"

    def select_pictures(self, is_kept: np.ndarray) -> DrawnPictures:
        """Return the pictures that (N,) bool says."""
        return DrawnPictures(self.pixels[is_kept])


@dataclass(frozen=True, eq=False)
class ObjectSet:
    """One part of a set, training or evaluation: its pictures, their objects, and the categories of these."""

    image_ids: np.ndarray  # (N,) int64, rising
    sizes: np.ndarray  # (N, 2) int64: height and width in pixels, as the annotations state them
    category_ids: np.ndarray  # (K,) int64, rising; they may skip
    category_names: tuple[str, ...]
    objects: Objects
    pictures: Pictures
    skipped: tuple[str, ...] = ()  # files that could not be read

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def is_wide(self) -> np.ndarray:
        """Return which pictures are wider than high, (N,) bool."""
        heights, widths = self.sizes.T
        is_wide: np.ndarray = widths > heights
        return is_wide

    def load_picture(self, index: int) -> Tensor:
        """Return picture `index` as it is stored, uint8 (3, H, W).

        Raises:
            DataError: it cannot be read, or has another size than its annotation states; the message names the file.
        """
        picture = self.pictures.load_picture(index)
        height, width = picture.shape[1:]
        stated_height, stated_width = self.sizes[index].tolist()
        if (height, width) != (stated_height, stated_width):
            name = self.pictures.name_picture(index)
            raise DataError(
                f"{name} is {width}x{height} px, and its annotation (image "
                f"{self.image_ids[index]}) states {stated_width}x{stated_height}: fetch both again, or give "
                "data.skip_corrupt=true to leave it out"
            )
        return picture

    def select_pictures(self, is_kept: np.ndarray) -> ObjectSet:
        """Return the set of the pictures that (N,) bool says."""
        return replace(
            self,
            image_ids=self.image_ids[is_kept],
            sizes=self.sizes[is_kept],
            objects=self.objects.select_pictures(is_kept),
            pictures=self.pictures.select_pictures(is_kept),
        )

    def leave_out(self, names: Collection[str]) -> ObjectSet:
        """Return the set without the pictures of these names, as its `skipped`; other sets' names are passed over.

        Raises:
            DataError: no picture would be left.
        """
        skipped = []
        is_kept = np.ones(len(self), dtype=bool)
        for index in range(len(self)):
            name = self.pictures.name_picture(index)
            if name in names:
                skipped.append(name)
                is_kept[index] = False
        if len(skipped) == len(self):
            raise DataError(f"no picture can be read, such as {skipped[0]}: fetch them again")
        left = self.select_pictures(is_kept)
        return replace(left, skipped=tuple(skipped))


def find_corners(boxes: np.ndarray, sizes: np.ndarray | None = None) -> np.ndarray:
    """Return boxes (M, 4) of x, y, width, height as corners x1, y1, x2, y2, float64.

    With `sizes`, (M, 2) or (2,): height and width of their pictures, whatever reaches over an edge is cut off.
    """
    starts = boxes[:, :2]
    ends = starts + boxes[:, 2:]
    corners = np.concatenate([starts, ends], axis=1)
    if sizes is None:
        return corners
    sizes = np.broadcast_to(sizes, (len(boxes), 2))
    # x ends at the width, and y at the height.
    limits = sizes[:, [1, 0, 1, 0]]
    clipped: np.ndarray = np.clip(corners, 0, limits)
    return clipped


def select_trainable(images: ObjectSet) -> ObjectSet:
    """Return the set as it is trained on: its objects that are no crowd and have an area, its pictures with any.

    A box that lies outside its picture has no area there. Detectron leaves out the same pictures.

    Raises:
        DataError: no picture would be left.
    """
    objects = images.objects
    sizes = images.sizes[objects.name_pictures()]
    corners = find_corners(objects.boxes, sizes)
    sides = corners[:, 2:] - corners[:, :2]
    has_area = (sides >= LEAST_PX).all(axis=1)
    kept = objects.select_rows(has_area & ~objects.is_crowd)
    has_objects = kept.count_by_picture() > 0
    if not has_objects.any():
        raise DataError("no training picture shows an object that is no crowd: give data.root=DIR")
    return replace(images, objects=kept).select_pictures(has_objects)


def require_counted(images: ObjectSet) -> None:
    """Accept evaluation pictures with an object that counts: a crowd is neither found nor missed.

    Raises:
        DataError: there is none.
    """
    if images.objects.is_crowd.all():
        raise DataError(
            "no evaluation picture shows an object that is no crowd, so that there is no average precision: give "
            "data.root=DIR with annotations of some"
        )
