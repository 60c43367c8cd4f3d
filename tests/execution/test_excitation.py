"""Blocks whose gates are shown, and images that are looked at one by one."""

from __future__ import annotations

import numpy as np
import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.execution.excitation import choose_blocks, find_shown_images, require_finite
from senet_repro.stats.gates import GroupedSums
from senet_repro.tasks.classification.excitation import GateReading


def list_blocks(*units: int) -> list[str]:
    """The names of the blocks of stages with so many units, from stage 2 on."""
    names = []
    for stage, count in enumerate(units, start=2):
        names += [f"SE_{stage}_{unit}" for unit in range(1, count + 1)]
    return names


@pytest.mark.parametrize(
    ("units", "wanted", "expected"),
    [
        ((3, 4, 6, 3), None, ["SE_2_3", "SE_3_4", "SE_4_6", "SE_5_1", "SE_5_2", "SE_5_3"]),
        ((3, 3, 3), None, list_blocks(3, 3, 3)),
        ((18, 18, 18), None, ["SE_2_18", "SE_3_18", "SE_4_1", "SE_4_17", "SE_4_18"]),
        ((3, 4, 6, 3), ["SE_5_2", "SE_2_1"], ["SE_2_1", "SE_5_2"]),
    ],
)
def test_shown_blocks_are_the_papers_or_those_that_are_wanted(
    units: tuple[int, ...], wanted: list[str] | None, expected: list[str]
) -> None:
    assert choose_blocks(list_blocks(*units), wanted) == expected


def test_the_first_images_of_each_shown_class_are_looked_at_one_by_one() -> None:
    options = {"classes": [[2, "two"], [0, "zero"]], "images": 2}
    assert find_shown_images([0, 1, 2, 2, 0, 0, 2], options) == [2, 3, 0, 4]


@pytest.mark.parametrize("gate", [np.inf, np.nan])
def test_gates_that_are_no_numbers_are_refused_with_their_block(gate: float) -> None:
    counts, near_one = np.ones((2, 1)), np.zeros(2)
    sound = GroupedSums(counts, np.ones((2, 1, 3)), np.ones((2, 3)), near_one)
    squares = np.ones((2, 3))
    squares[1, 2] = gate
    damaged = GroupedSums(counts, np.ones((2, 1, 3)), squares, near_one)
    require_finite(GateReading({"SE_2_1": sound}, {}, near_one, []), "x")
    reading = GateReading({"SE_2_1": sound, "SE_2_2": damaged}, {}, near_one, [])
    with pytest.raises(ConfigError, match="x: the gates of SE_2_2 are no finite numbers"):
        require_finite(reading, "x")
