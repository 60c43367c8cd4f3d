"""Found objects are matched one to one, the best score first, by class and overlap; crowds blame nobody."""

from __future__ import annotations

import numpy as np
import pytest

from senet_repro.stats.object_matches import match_objects

BOX = (10.0, 10.0, 20.0, 20.0)
# It shares 16 of 24 columns with the first, an IoU of 0.67.
NEAR = (14.0, 10.0, 20.0, 20.0)
# It shares 10 of 30, an IoU of 0.33.
FAR = (20.0, 10.0, 20.0, 20.0)
FIELD = (0.0, 0.0, 200.0, 200.0)

Object = tuple[tuple[float, float, float, float], int]


def match(true: list[Object], found: list[Object], crowds: set[int] | None = None) -> list[object]:
    matches = match_objects(
        np.array([box for box, _ in true]).reshape(-1, 4),
        np.array([label for _, label in true]),
        np.array([place in (crowds or set()) for place in range(len(true))], bool),
        np.array([box for box, _ in found]).reshape(-1, 4),
        np.array([label for _, label in found]),
    )
    return [matches.matched_by.tolist(), matches.is_wrong.tolist()]


@pytest.mark.parametrize(
    ("true", "found", "crowds", "matched_by", "is_wrong"),
    [
        ([], [], set(), [], []),
        ([(BOX, 0)], [], set(), [-1], []),
        ([], [(BOX, 0)], set(), [], [True]),
        ([(BOX, 0)], [(NEAR, 0)], set(), [0], [False]),
        # Too far, or of another class.
        ([(BOX, 0)], [(FAR, 0)], set(), [-1], [True]),
        ([(BOX, 0)], [(BOX, 1)], set(), [-1], [True]),
        # An object is found once, by the better score, even where the other one is nearer.
        ([(BOX, 0)], [(NEAR, 0), (BOX, 0)], set(), [0], [False, True]),
        # Each takes the nearest that is free.
        ([(BOX, 0), (NEAR, 0)], [(NEAR, 0), (NEAR, 0)], set(), [1, 0], [False, False]),
        # Many may lie in a crowd of their class, which none of them is.
        ([(FIELD, 0)], [(BOX, 0), (NEAR, 0), (BOX, 1)], {0}, [-1], [False, False, True]),
        ([(FIELD, 0), (BOX, 0)], [(NEAR, 0)], {0}, [-1, 0], [False]),
        # A box without an area is found by none.
        ([((10.0, 10.0, 0.0, 20.0), 0)], [((10.0, 10.0, 0.0, 20.0), 0)], set(), [-1], [True]),
    ],
)
def test_objects_are_matched(
    true: list[Object],
    found: list[Object],
    crowds: set[int],
    matched_by: list[int],
    is_wrong: list[bool],
) -> None:
    assert match(true, found, crowds) == [matched_by, is_wrong]
