"""Match the objects found in a picture with those that are there (stats floor; numpy once it is needed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LEAST_IOU = 0.5
"""How much of their common area two boxes must share to be of one object."""


@dataclass(frozen=True, eq=False)
class ObjectMatches:
    """Objects of a picture and those found there, matched one to one."""

    matched_by: (
        np.ndarray
    )  # (M,) int64: of each true object, the found one that is it; -1 where none is
    is_wrong: (
        np.ndarray
    )  # (K,) bool: whether a found object is none of the true ones, and lies in no crowd


def match_objects(
    true_boxes: np.ndarray,
    true_labels: np.ndarray,
    is_crowd: np.ndarray,
    found_boxes: np.ndarray,
    found_labels: np.ndarray,
) -> ObjectMatches:
    """Return which found objects are which true ones: the first found, with the best score, choose first.

    Boxes (M, 4) and (K, 4) are x, y, width and height, found ones by falling score. A found object is the true one of
    its label that it overlaps most and that no other is yet, by an IoU of at least 0.5. One that is none, but lies with
    half its area in a crowd of its label, is not wrong: nobody told the objects of a crowd apart.
    """
    import numpy as np

    shared = _measure_overlaps(found_boxes, true_boxes)
    found_areas = found_boxes[:, 2:].prod(axis=1)
    unions = found_areas[:, None] + true_boxes[:, 2:].prod(axis=1)[None] - shared
    is_same_label = found_labels[:, None] == true_labels[None]
    ious = np.where(is_same_label & ~is_crowd[None], shared / np.maximum(unions, 1e-12), 0.0)
    matched_by = np.full(len(true_boxes), -1)
    is_wrong = np.zeros(len(found_boxes), bool)
    in_crowd = is_same_label & is_crowd[None] & (shared >= LEAST_IOU * found_areas[:, None])
    for place, own_ious in enumerate(ious):
        free = np.where(matched_by < 0, own_ious, 0.0)
        best = int(free.argmax()) if len(free) else -1
        if best >= 0 and free[best] >= LEAST_IOU:
            matched_by[best] = place
        else:
            is_wrong[place] = not in_crowd[place].any()
    return ObjectMatches(matched_by, is_wrong)


def _measure_overlaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the area that each two of the boxes (K, 4) and (M, 4) share, (K, M)."""
    import numpy as np

    starts = np.maximum(one[:, None, :2], other[None, :, :2])
    ends = np.minimum((one[:, :2] + one[:, 2:])[:, None], (other[:, :2] + other[:, 2:])[None])
    areas: np.ndarray = np.clip(ends - starts, 0, None).prod(axis=2)
    return areas
