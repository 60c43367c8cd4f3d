"""Numbers are written in one way wherever they stand."""

from __future__ import annotations

import pytest

from senet_repro.report.tables.numbers import count_seeds_of_rows


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param([], "0 seeds", id="no row was run"),
        pytest.param([1, 1], "1 seed", id="one each"),
        pytest.param([3, 3, 3], "3 seeds", id="as many each"),
        pytest.param([4, 2, 3], "2 to 4 seeds", id="rows differ"),
        pytest.param([1, 2], "1 to 2 seeds", id="one row has one"),
    ],
)
def test_seeds_of_rows_are_one_number_or_the_fewest_and_the_most(
    counts: list[int], expected: str
) -> None:
    assert count_seeds_of_rows(counts) == expected
