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
from senet_repro.config.picture_folders import EVAL, TRAIN
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.core.slow_work import SlowWork
from senet_repro.core.wording import count_noun, name_some
from senet_repro.data.object_set import Objects, ObjectSet, PictureFiles

Entry = dict[str, Any]

_MEND = "fetch the annotations again"
_NUMBER = (int, float)
# No picture is so large; the products of greater numbers are soon beyond those that a float holds.
_MOST_PX = 1_000_000


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
    first, second = find_coco_parts(data)
    train = load_coco_part(data, TRAIN)
    evaluation = load_coco_part(data, EVAL)
    are_alike = np.array_equal(train.category_ids, evaluation.category_ids)
    if not are_alike or train.category_names != evaluation.category_names:
        raise DataError(
            f"{first.annotations} and {second.annotations.name} have different categories: {_MEND}"
        )
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
    annotations = _Annotations.read(found)
    images = _read_images(data, found, annotations)
    return _locate_files(found, images)


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
            raise self._describe_error("lists no images")
        ids = self._read_ids(entries, "image")
        order = np.argsort(ids)
        heights = self._read_whole(entries, "image", "height")
        widths = self._read_whole(entries, "image", "width")
        sizes = np.stack([heights, widths], axis=1)
        is_flat: np.ndarray = sizes.min(axis=1) < 1
        self._refuse_entries(entries, "image", is_flat, "has a side below 1 px")
        names = self._read_column(entries, "image", "file_name", (str,))
        is_strange = [not _is_file_name(name) for name in names]
        reason = "has a file_name that no file can have"
        self._refuse_entries(entries, "image", np.array(is_strange), reason)
        return _Images(
            ids=ids[order],
            sizes=sizes[order],
            names=[names[place] for place in order],
        )

    def read_categories(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the ids (K,) of the categories, rising, and their names.

        Raises:
            DataError: there are none, or an entry is not as COCO's are.
        """
        entries = self._list_entries("categories", "category")
        if not entries:
            raise self._describe_error("lists no categories")
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
        num_images = len(image_ids)
        pictures = self._find_places(entries, "image_id", image_ids)
        labels = self._find_places(entries, "category_id", category_ids)
        boxes = self._read_boxes(entries)
        areas = self._read_areas(entries, boxes)
        crowds = self._read_column(entries, kind, "iscrowd", (int, bool), otherwise=0)
        # Stable: the objects of a picture stay in their order.
        order = np.argsort(pictures, kind="stable")
        counts = np.bincount(pictures, minlength=num_images)
        ends = np.cumsum(counts)
        return Objects(
            offsets=np.concatenate([[0], ends]),
            boxes=boxes[order],
            labels=labels[order],
            is_crowd=np.array(crowds, dtype=bool)[order],
            areas=areas[order],
        )

    def _read_boxes(self, entries: Sequence[Entry]) -> np.ndarray:
        """Return the boxes (M, 4) float64: x, y, width and height."""
        kind = "annotation"
        boxes = self._read_column(entries, kind, "bbox", (list,))
        of_four = "has a bbox that is not of four numbers"
        lengths = np.array([len(box) for box in boxes], dtype=np.int64)
        self._refuse_entries(entries, kind, lengths != 4, of_four)
        flat = list(chain.from_iterable(boxes))
        is_other = _find_others(flat, _NUMBER)
        self._refuse_entries(entries, kind, is_other.reshape(-1, 4), of_four)
        with self._explain_overflow():
            numbers = np.array(flat, dtype=np.float64)
        found = numbers.reshape(-1, 4)
        is_infinite = ~np.isfinite(found)
        self._refuse_entries(entries, kind, is_infinite, "has a bbox without an end")
        is_far = np.abs(found) > _MOST_PX
        self._refuse_entries(entries, kind, is_far, f"has a bbox beyond {_MOST_PX:,} px")
        is_negative = found[:, 2:] < 0
        self._refuse_entries(entries, kind, is_negative, "has a bbox with a side below 0 px")
        return found

    def _read_areas(self, entries: Sequence[Entry], boxes: np.ndarray) -> np.ndarray:
        """Return the areas (M,) float64 as they are stated, or of the boxes where none is."""
        kind = "annotation"
        types = (*_NUMBER, type(None))
        stated = self._read_column(entries, kind, "area", types, otherwise=None)
        with self._explain_overflow():
            # None becomes a number that is none.
            areas = np.array(stated, dtype=np.float64)
        is_unstated = np.array([area is None for area in stated], dtype=bool)
        of_boxes = boxes[:, 2] * boxes[:, 3]
        areas[is_unstated] = of_boxes[is_unstated]
        self._refuse_entries(entries, kind, ~np.isfinite(areas), "has an area without an end")
        self._refuse_entries(entries, kind, areas < 0, "has an area below 0")
        return areas

    def _find_places(self, entries: Sequence[Entry], name: str, known: np.ndarray) -> np.ndarray:
        """Return the place of each entry's id among the known ones, which rise, (M,) int64."""
        ids = self._read_whole(entries, "annotation", name)
        places = np.searchsorted(known, ids)
        # Beyond the last one there is none.
        nearest = np.minimum(places, len(known) - 1)
        is_unknown = known[nearest] != ids
        for unknown in ids[is_unknown][:1]:
            reason = f"has the {name} {unknown}, which is not listed"
            self._refuse_entries(entries, "annotation", is_unknown, reason)
        return places

    def _list_entries(self, name: str, kind: str) -> list[Entry]:
        entries = self.content.get(name)
        if not isinstance(entries, list):
            raise self._describe_error(f"has no list of {name}")
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict):
                raise self._describe_error(f"has {kind} number {place + 1}, which is no object")
        return entries

    def _read_ids(self, entries: Sequence[Entry], kind: str) -> np.ndarray:
        """Return the ids of entries, each another one."""
        ids = self._read_whole(entries, kind, "id")
        numbers, counts = np.unique(ids, return_counts=True)
        twice = numbers[counts > 1]
        if len(twice):
            raise self._describe_error(f"lists {kind} {name_some(twice)} twice")
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
        is_other = _find_others(values, types)
        self._refuse_entries(entries, kind, is_other, f"has no {name} that can be read")
        return values

    def _refuse_entries(
        self, entries: Sequence[Entry], kind: str, is_refused: np.ndarray, reason: str
    ) -> None:
        """Refuse a file of which (N, ...) bool says that entries cannot be; the message names the first of them."""
        places = np.unique(np.nonzero(is_refused)[0])
        if not len(places):
            return
        first = int(places[0])
        others = len(places) - 1
        told = f"{kind} number {first + 1}"
        if "id" in entries[first]:
            told = f"{kind} {entries[first]['id']}"
        if others:
            reason += f" ({count_noun(others, 'other')} likewise)"
        raise DataError(f"{self.file}: {told} {reason}: mend or remove it, or {_MEND}")

    def _describe_error(self, problem: str) -> DataError:
        """Return the error of a file that cannot be read, with the mend."""
        return DataError(f"{self.file} {problem}: {_MEND}")

    @contextmanager
    def _explain_overflow(self) -> Iterator[None]:
        """Turn the error of a number that no array holds into one that names the file."""
        try:
            yield
        except OverflowError as error:
            raise self._describe_error("holds a number that is too large") from error


def _find_others(values: Sequence[Any], types: tuple[type, ...]) -> np.ndarray:
    """Return which values are of none of some types, (N,) bool; Python takes true for 1, and JSON does not."""
    is_other = []
    for value in values:
        is_other.append(type(value) not in types)
    return np.array(is_other, dtype=bool)


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
    files = []
    for name in images.names:
        path = found.pictures.path / name
        files.append(os.fsencode(path))
    return np.array(files)


def _is_file_name(name: str) -> bool:
    """Return whether a file within a folder can have this name."""
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        return False
    if encoded in (b"", b".", b".."):
        return False
    return b"/" not in encoded and b"\0" not in encoded


def _refuse_missing(found: CocoPart, names: Sequence[str]) -> None:
    """Refuse annotations of pictures that are not there.

    Raises:
        DataError: some are not; the message names them.
    """
    present = set(found.pictures.list_pictures())
    missing = []
    for name in names:
        if name not in present:
            missing.append(name)
    if missing:
        raise DataError(
            f"{found.pictures.path}: no {name_some(missing)}, which {found.annotations.name} lists; fetch them again, "
            "or give data.skip_corrupt=true to leave them out"
        )
