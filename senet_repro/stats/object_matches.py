"""Match the objects found in a picture with those that are there (stats floor; numpy once it is needed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LEAST_IOU = 0.5
"""How much of their common area two boxes must share to be of one object."""

# In square pixels: keeps 0 from being divided by 0.
_LEAST_UNION = 1e-12


@dataclass(frozen=True, eq=False)
class ObjectMatches:
    """Objects of a picture and those found there, matched one to one."""

    # Of each true object, the found one that is it, (M,) int64; -1 where none is.
    matched_by: np.ndarray
    # Whether a found object is none of the true ones, and lies in no crowd, (K,) bool.
    is_wrong: np.ndarray


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
    true_areas = true_boxes[:, 2:].prod(axis=1)
    areas = np.add.outer(found_areas, true_areas)
    # Two boxes without an area share none either.
    unions = np.maximum(areas - shared, _LEAST_UNION)
    is_same_label = np.equal.outer(found_labels, true_labels)
    may_match = is_same_label & ~is_crowd
    ious = np.where(may_match, shared / unions, 0.0)
    enough = LEAST_IOU * found_areas
    lies_in_crowd = is_same_label & is_crowd
    lies_in_crowd &= shared >= enough[:, None]
    is_excused = lies_in_crowd.any(axis=1)
    matched_by = np.full(len(true_boxes), -1)
    is_wrong = np.zeros(len(found_boxes), bool)
    for place, own_ious in enumerate(ious):
        is_free = matched_by < 0
        best = _find_best(own_ious, is_free)
        if best is None:
            is_wrong[place] = not is_excused[place]
        else:
            matched_by[best] = place
    return ObjectMatches(matched_by, is_wrong)


def _find_best(ious: np.ndarray, is_free: np.ndarray) -> int | None:
    """Return the free true object, of M, that a found one overlaps most; None where it overlaps none of them enough."""
    import numpy as np

    if not len(ious):
        return None
    free = np.where(is_free, ious, 0.0)
    best = int(free.argmax())
    if free[best] < LEAST_IOU:
        return None
    return best


def _measure_overlaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the area that each two of the boxes (K, 4) and (M, 4) share, (K, M)."""
    import numpy as np

    one_starts = one[:, :2]
    other_starts = other[:, :2]
    one_ends = one_starts + one[:, 2:]
    other_ends = other_starts + other[:, 2:]
    starts = np.maximum(one_starts[:, None], other_starts)
    ends = np.minimum(one_ends[:, None], other_ends)
    sides = np.clip(ends - starts, 0, None)
    areas: np.ndarray = sides.prod(axis=2)
    return areas
