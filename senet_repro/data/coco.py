"""COCO's annotations to compact arrays (data floor).

The annotations of the training pictures are 450 MB of JSON, most of it the outlines of masks, which nothing here needs:
they are dropped object by object as they are read, so that the whole never lies in memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from senet_repro.config.coco_files import CocoPart, find_coco_parts
from senet_repro.config.picture_folders import PARTS
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.core.slow_work import SlowWork
from senet_repro.core.wording import name_some
from senet_repro.data.object_set import Objects, ObjectSet, PictureFiles

Entry = dict[str, Any]

_MEND = "fetch the annotations again"
# Python takes true for 1, and JSON does not.
_NUMBER = (int, float)


@dataclass(frozen=True, eq=False)
class _Images:
    """The pictures that annotations list, by rising ids."""

    ids: np.ndarray
    sizes: np.ndarray
    names: list[str]


def load_coco(data: Data) -> tuple[ObjectSet, ObjectSet]:
    """Return the training and the evaluation part of the set at `data.root`, with all of its objects.

    Raises:
        DataError: files are missing, or what they say cannot be; the message names the file, the entry and the mend.
    """
    train, evaluation = (load_coco_part(data, part) for part in PARTS)
    if (train.category_ids.tolist(), train.category_names) != (
        evaluation.category_ids.tolist(),
        evaluation.category_names,
    ):
        first, second = (found.annotations.name for found in find_coco_parts(data))
        raise DataError(f"{first} and {second} have different categories: {_MEND}")
    return train, evaluation


def load_coco_part(data: Data, part: str) -> ObjectSet:
    """Return one part of the set at `data.root`, train or val; the other one need not be there.

    Pictures that `data.skip_corrupt` is to leave out may be missing.

    Raises:
        DataError: as for `load_coco`.
    """
    (found,) = find_coco_parts(data, [part])
    annotations = _Annotations.read(found)
    images = _read_images(data, found, annotations)
    category_ids, category_names = annotations.read_categories()
    if len(category_ids) > data.classes:
        raise DataError(
            f"{found.annotations} has {len(category_ids)} categories: give data.classes={len(category_ids)}"
        )
    return ObjectSet(
        image_ids=images.ids,
        sizes=images.sizes,
        category_ids=category_ids,
        category_names=category_names,
        objects=annotations.read_objects(images.ids, category_ids),
        pictures=PictureFiles(_locate_files(found, images), images.sizes),
    )


def list_picture_files(data: Data, part: str) -> np.ndarray:
    """Return the pictures (N,) of one part, as bytes, by rising ids; raises as `load_coco`."""
    (found,) = find_coco_parts(data, [part])
    return _locate_files(found, _read_images(data, found, _Annotations.read(found)))


class _Annotations:
    """The content of one file of annotations."""

    def __init__(self, file: Path, content: Entry) -> None:
        self.file = file
        self.content = content

    @classmethod
    def read(cls, found: CocoPart) -> _Annotations:
        """Read the file of one part.

        Raises:
            DataError: it is no JSON object.
        """
        file = found.annotations
        try:
            with SlowWork(f"reading {file.name}"):
                text = file.read_text(encoding="utf-8")
                content = json.loads(text, object_hook=_drop_masks)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{file} is no whole JSON file: {_MEND} ({error})") from error
        if not isinstance(content, dict):
            raise DataError(f"{file} holds no JSON object: {_MEND}")
        return cls(file, content)

    def read_images(self) -> _Images:
        """Return the pictures.

        Raises:
            DataError: there are none, or an entry is not as COCO's are.
        """
        entries = self._list_entries("images", "image")
        if not entries:
            raise DataError(f"{self.file} lists no images: {_MEND}")
        ids = self._read_ids(entries, "image")
        order = np.argsort(ids)
        sides = [self._read_whole(entries, "image", side) for side in ("height", "width")]
        sizes = np.stack(sides, axis=1)
        is_flat: np.ndarray = sizes.min(axis=1) < 1
        self._refuse_entries(entries, "image", is_flat, "has a side below 1 px")
        names = self._read_column(entries, "image", "file_name", (str,))
        is_strange = np.array([not _is_file_name(name) for name in names], dtype=bool)
        self._refuse_entries(entries, "image", is_strange, "has a file_name that no file can have")
        return _Images(ids[order], sizes[order], [names[place] for place in order])

    def read_categories(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the ids (K,) of the categories, rising, and their names.

        Raises:
            DataError: there are none, or an entry is not as COCO's are.
        """
        entries = self._list_entries("categories", "category")
        if not entries:
            raise DataError(f"{self.file} lists no categories: {_MEND}")
        ids = self._read_ids(entries, "category")
        names = self._read_column(entries, "category", "name", (str,))
        order = np.argsort(ids)
        return ids[order], tuple(names[place] for place in order)

    def read_objects(self, image_ids: np.ndarray, category_ids: np.ndarray) -> Objects:
        """Return the objects of the pictures with these rising ids; labels are places among the categories.

        Raises:
            DataError: an entry is not as COCO's are, or of another picture or category than there are.
        """
        kind = "annotation"
        entries = self._list_entries("annotations", kind)
        self._read_ids(entries, kind)
        pictures = self._find_places(entries, "image_id", image_ids)
        labels = self._find_places(entries, "category_id", category_ids)
        boxes = self._read_boxes(entries)
        crowds = self._read_column(entries, kind, "iscrowd", (int, bool), otherwise=0)
        # Stable: the objects of a picture stay in their order.
        order = np.argsort(pictures, kind="stable")
        counts = np.bincount(pictures, minlength=len(image_ids))
        return Objects(
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            boxes=boxes[order],
            labels=labels[order],
            is_crowd=np.array(crowds, dtype=bool)[order],
            areas=self._read_areas(entries, boxes)[order],
        )

    def _read_boxes(self, entries: Sequence[Entry]) -> np.ndarray:
        """Return the boxes (M, 4) float64: x, y, width and height."""
        kind = "annotation"
        boxes = self._read_column(entries, kind, "bbox", (list,))
        lengths = np.array([len(box) for box in boxes], dtype=np.int64)
        self._refuse_entries(entries, kind, lengths != 4, "has a bbox that is not of four numbers")
        flat = list(chain.from_iterable(boxes))
        is_other = np.array([type(number) not in _NUMBER for number in flat], dtype=bool)
        is_damaged = is_other.reshape(-1, 4)
        self._refuse_entries(entries, kind, is_damaged, "has a bbox that is not of four numbers")
        with self._explain_overflow():
            found = np.array(flat, dtype=np.float64).reshape(-1, 4)
        is_infinite = ~np.isfinite(found)
        self._refuse_entries(entries, kind, is_infinite, "has a bbox without an end")
        return found

    def _read_areas(self, entries: Sequence[Entry], boxes: np.ndarray) -> np.ndarray:
        """Return the areas (M,) float64 as they are stated, or of the boxes where none is."""
        kind = "annotation"
        stated = self._read_column(entries, kind, "area", (*_NUMBER, type(None)), otherwise=None)
        with self._explain_overflow():
            # None becomes a number that is none.
            areas = np.array(stated, dtype=np.float64)
        is_unstated = np.array([area is None for area in stated], dtype=bool)
        areas[is_unstated] = boxes[is_unstated, 2] * boxes[is_unstated, 3]
        self._refuse_entries(entries, kind, ~np.isfinite(areas), "has an area without an end")
        return areas

    def _find_places(self, entries: Sequence[Entry], name: str, known: np.ndarray) -> np.ndarray:
        """Return the place of each entry's id among the known ones, which rise, (M,) int64."""
        ids = self._read_whole(entries, "annotation", name)
        places = np.searchsorted(known, ids)
        is_unknown = known[np.minimum(places, len(known) - 1)] != ids
        for unknown in ids[is_unknown][:1]:
            reason = f"has the {name} {unknown}, which is not listed"
            self._refuse_entries(entries, "annotation", is_unknown, reason)
        return places

    def _list_entries(self, name: str, kind: str) -> list[Entry]:
        entries = self.content.get(name)
        if not isinstance(entries, list):
            raise DataError(f"{self.file} has no list of {name}: {_MEND}")
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict):
                raise DataError(f"{self.file}: {kind} number {place + 1} is no object: {_MEND}")
        return entries

    def _read_ids(self, entries: Sequence[Entry], kind: str) -> np.ndarray:
        """Return the ids of entries, each another one."""
        ids = self._read_whole(entries, kind, "id")
        numbers, counts = np.unique(ids, return_counts=True)
        twice = numbers[counts > 1]
        if len(twice):
            raise DataError(f"{self.file}: {kind} {name_some(twice)} is listed twice: {_MEND}")
        return ids

    def _read_whole(self, entries: Sequence[Entry], kind: str, name: str) -> np.ndarray:
        """Return the whole number under a key of each entry, (N,) int64."""
        values = self._read_column(entries, kind, name, (int,))
        with self._explain_overflow():
            return np.array(values, dtype=np.int64)

    def _read_column(
        self,
        entries: Sequence[Entry],
        kind: str,
        name: str,
        types: tuple[type, ...],
        otherwise: Any = ...,
    ) -> list[Any]:
        """Return the value under a key of each entry, of one of some types; `otherwise` where there is none."""
        values = [entry.get(name, otherwise) for entry in entries]
        # Of a million entries nearly always all are sound, and each type is asked about once.
        if set(map(type, values)) <= set(types):
            return values
        is_damaged = np.array([type(value) not in types for value in values], dtype=bool)
        self._refuse_entries(entries, kind, is_damaged, f"has no {name} that can be read")
        return values

    def _refuse_entries(
        self, entries: Sequence[Entry], kind: str, is_refused: np.ndarray, reason: str
    ) -> None:
        """Refuse a file of which (N, ...) bool says that entries cannot be; the message names the first of them."""
        places = np.unique(np.nonzero(is_refused)[0])
        if not len(places):
            return
        entry = entries[places[0]]
        told = f"{kind} {entry['id']}" if "id" in entry else f"{kind} number {places[0] + 1}"
        others = f" ({len(places) - 1:,} more are alike)" if len(places) > 1 else ""
        raise DataError(f"{self.file}: {told} {reason}{others}: mend or remove it, or {_MEND}")

    @contextmanager
    def _explain_overflow(self) -> Iterator[None]:
        """Turn the error of a number that no array holds into one that names the file."""
        try:
            yield
        except OverflowError as error:
            raise DataError(f"{self.file} holds a number that is too large: {_MEND}") from error


def _drop_masks(entry: Entry) -> Entry:
    """Return an entry of a file without the outline of its mask."""
    entry.pop("segmentation", None)
    return entry


def _read_images(data: Data, found: CocoPart, annotations: _Annotations) -> _Images:
    """Return the pictures that annotations list, all of which are there unless some may be left out."""
    images = annotations.read_images()
    if not data.skip_corrupt:
        _refuse_missing(found, images.names)
    return images


def _locate_files(found: CocoPart, images: _Images) -> np.ndarray:
    """Return the paths (N,) of pictures as bytes."""
    return np.array([os.fsencode(found.pictures.path / name) for name in images.names])


def _is_file_name(name: str) -> bool:
    """Return whether a file within a folder can have this name."""
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return encoded not in (b"", b".", b"..") and b"/" not in encoded and b"\0" not in encoded


def _refuse_missing(found: CocoPart, names: Sequence[str]) -> None:
    """Refuse annotations of pictures that are not there.

    Raises:
        DataError: some are not; the message names them.
    """
    present = set(found.pictures.list_pictures())
    missing = [name for name in names if name not in present]
    if missing:
        raise DataError(
            f"{found.pictures.path}: no {name_some(missing)}, which {found.annotations.name} lists; fetch them again, "
            "or give data.skip_corrupt=true to leave them out"
        )
