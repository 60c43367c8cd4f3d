"""The objects of every evaluation image beside those that a detector found there (results floor; numpy once needed).

A record keeps average precision; this file says what it is made of, so that it can be computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senet_repro.results.arrays import hash_arrays, read_arrays, require_hash, write_arrays
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np

DETECTIONS_FILE = RunFolder(Path()).detections_file.name
"""The file's name, wherever detections are kept."""

# What messages call the content of the file.
_NOUN = "detections"
# As numpy writes its types, the order of bytes included. Found boxes are the float32 that a network computes.
_COUNT, _LABEL, _TRUE, _FOUND, _FLAG = "<i8", "<u2", "<f8", "<f4", "|b1"
# Of each array in the file: its type, and the length of its rows (none: a number a row). Names are of any length.
_FORMS: dict[str, tuple[str | None, int | None]] = {
    "image_ids": (_COUNT, None),
    "sizes": (_COUNT, 2),
    "category_ids": (_COUNT, None),
    "category_names": (None, None),
    "true_offsets": (_COUNT, None),
    "true_boxes": (_TRUE, 4),
    "true_labels": (_LABEL, None),
    "true_is_crowd": (_FLAG, None),
    "true_areas": (_TRUE, None),
    "found_offsets": (_COUNT, None),
    "found_boxes": (_FOUND, 4),
    "found_labels": (_LABEL, None),
    "found_scores": (_FOUND, None),
}


@dataclass(frozen=True, eq=False)
class TrueObjects:
    """The M objects of N images, in the order of the annotations within each image."""

    offsets: np.ndarray  # (N + 1,) int64: image i has the rows offsets[i] to offsets[i + 1]
    boxes: np.ndarray  # (M, 4) float64: x, y, width and height in pixels
    labels: np.ndarray  # (M,) uint16: place of the category among those of the set, from 0
    is_crowd: np.ndarray  # (M,) bool
    areas: np.ndarray  # (M,) float64: in square pixels, as annotated


@dataclass(frozen=True, eq=False)
class FoundObjects:
    """The K objects that a detector found in N images, by falling score within each image."""

    offsets: np.ndarray  # (N + 1,) int64, as of the true objects
    boxes: np.ndarray  # (K, 4) float32: x, y, width and height in pixels
    labels: np.ndarray  # (K,) uint16, as of the true objects
    scores: np.ndarray  # (K,) float32


@dataclass(frozen=True, eq=False)
class Detections:
    """Everything that an evaluation of N images found and should have found, in the order of the evaluation set."""

    image_ids: np.ndarray  # (N,) int64
    sizes: np.ndarray  # (N, 2) int64: height and width in pixels
    category_ids: np.ndarray  # (C,) int64, rising; some may be skipped
    category_names: tuple[str, ...]
    true: TrueObjects
    found: FoundObjects

    @cached_property
    def digest(self) -> str:
        """The hash of all arrays in the order of the file."""
        return hash_arrays(_list_arrays(self).values())

    def summarise(self) -> dict[str, str | int]:
        """Return what a record keeps of the detections: their hash, and how many images and objects they hold."""
        return {
            "sha256": self.digest,
            "images": len(self.image_ids),
            "objects": len(self.true.labels),
            "found": len(self.found.labels),
        }

    def write_into(self, folder: Path) -> None:
        """Write the detections into a run's folder, whole or not at all; the same detections are the same bytes."""
        write_arrays(RunFolder(folder).detections_file, _list_arrays(self))


def pack_detections(
    *,
    image_ids: np.ndarray,
    sizes: np.ndarray,
    category_ids: np.ndarray,
    category_names: tuple[str, ...],
    true: TrueObjects,
    found: FoundObjects,
) -> Detections:
    """Return detections of arrays of any type in the types of the file, found objects by falling score within an image.

    Objects of the same score keep their order.
    """
    order = _rank_scores(found)
    return Detections(
        image_ids=image_ids.astype(_COUNT),
        sizes=sizes.astype(_COUNT),
        category_ids=category_ids.astype(_COUNT),
        category_names=category_names,
        true=TrueObjects(
            offsets=true.offsets.astype(_COUNT),
            boxes=true.boxes.astype(_TRUE).reshape(-1, 4),
            labels=true.labels.astype(_LABEL),
            is_crowd=true.is_crowd.astype(_FLAG),
            areas=true.areas.astype(_TRUE),
        ),
        found=FoundObjects(
            offsets=found.offsets.astype(_COUNT),
            boxes=found.boxes.astype(_FOUND).reshape(-1, 4)[order],
            labels=found.labels.astype(_LABEL)[order],
            scores=found.scores.astype(_FOUND)[order],
        ),
    )


def read_detections(path: Path) -> Detections:
    """Return the detections in a file.

    Raises:
        ConfigError: there are none in it, or it cannot be read; the message names it.
    """
    return read_arrays(path, _NOUN, _unpack_detections)


def load_detections(record: Record) -> Detections | None:
    """Return the detections beside a record; None where the record has none, or their file is gone.

    Raises:
        ConfigError: the file holds no detections, or others than those that the record was made with.
    """
    # Outcomes of a task that finds no objects lie in a file of their own.
    if record.folder is None or record.outcomes is None or "found" not in record.outcomes:
        return None
    path = RunFolder(record.folder).detections_file
    if not path.exists():
        return None
    detections = read_detections(path)
    require_hash(path, _NOUN, detections.digest, record.outcomes["sha256"])
    return detections


def _rank_scores(found: FoundObjects) -> np.ndarray:
    """Return the rows of found objects by image, and by falling score within each; (K,) int64."""
    import numpy as np

    images = np.repeat(np.arange(len(found.offsets) - 1), np.diff(found.offsets))
    # By the last key first; the order of equal keys stays.
    return np.lexsort((-found.scores.astype(_FOUND), images))


def _list_arrays(detections: Detections) -> dict[str, np.ndarray]:
    """Return all arrays by their names in the file."""
    import numpy as np

    true = {f"true_{name}": array for name, array in vars(detections.true).items()}
    found = {f"found_{name}": array for name, array in vars(detections.found).items()}
    return {
        "image_ids": detections.image_ids,
        "sizes": detections.sizes,
        "category_ids": detections.category_ids,
        "category_names": np.array(detections.category_names, dtype=np.str_),
        **true,
        **found,
    }


def _unpack_detections(arrays: Mapping[str, np.ndarray]) -> Detections:
    """Return the detections that arrays hold.

    Raises:
        ValueError: they are of another form.
        KeyError: one is missing.
    """
    found: dict[str, Any] = {name: arrays[name] for name in _FORMS}
    for name, array in found.items():
        _check_form(name, array)
    names = found["category_names"]
    if names.dtype.kind != "U":
        raise ValueError(f"its category_names are {names.dtype}")
    images, categories = len(found["image_ids"]), len(found["category_ids"])
    if len(found["sizes"]) != images or len(names) != categories:
        raise ValueError("its images or its categories are not as many as their ids")
    true_arrays, found_arrays = _select_part(found, "true"), _select_part(found, "found")
    _check_objects("true", true_arrays, images, categories)
    _check_objects("found", found_arrays, images, categories)
    return Detections(
        image_ids=found["image_ids"],
        sizes=found["sizes"],
        category_ids=found["category_ids"],
        category_names=tuple(names.tolist()),
        true=TrueObjects(**true_arrays),
        found=FoundObjects(**found_arrays),
    )


def _select_part(arrays: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """Return the arrays of the true or of the found objects, by the names of their fields."""
    prefix = f"{part}_"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _check_form(name: str, array: np.ndarray) -> None:
    """Refuse an array of another type or shape than its own."""
    type_name, columns = _FORMS[name]
    shape = () if columns is None else (columns,)
    if type_name not in (None, array.dtype.str) or array.ndim == 0 or array.shape[1:] != shape:
        raise ValueError(f"its {name} are {array.dtype} of shape {array.shape}")


def _check_objects(
    part: str, arrays: Mapping[str, np.ndarray], images: int, categories: int
) -> None:
    """Refuse objects that belong to no image or category, and boxes or scores that are no numbers."""
    import numpy as np

    offsets, labels = arrays["offsets"], arrays["labels"]
    is_rising = len(offsets) == images + 1 and offsets[0] == 0 and (np.diff(offsets) >= 0).all()
    if not is_rising or offsets[-1] != len(labels):
        raise ValueError(f"its {part}_offsets do not lead through its {part}_labels")
    if len(labels) and labels.max() >= categories:
        raise ValueError(f"its {part}_labels are of more categories than it has")
    for name, array in arrays.items():
        if name != "offsets" and len(array) != len(labels):
            raise ValueError(f"its {part}_{name} are not as many as its {part}_labels")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"its {part}_{name} are not all finite")
