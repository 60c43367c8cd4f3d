"""Means and intervals against hand numbers."""

from __future__ import annotations

import pytest

from senet_repro.results.statistics import Estimate, estimate


def test_one_seed_has_no_interval() -> None:
    assert estimate([2.5]) == Estimate(1, 2.5, None)


@pytest.mark.parametrize(
    ("values", "mean", "half_width"),
    [
        # t(0.975) is 12.7062, 4.3027 and 2.7764 for 1, 2 and 4 degrees of freedom
        ([1.0, 3.0], 2.0, 12.7062),
        ([1.0, 2.0, 3.0], 2.0, 4.30265 / 3**0.5),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 3.0, 2.77645 * 2.5**0.5 / 5**0.5),
        ([2.0, 2.0, 2.0], 2.0, 0.0),
    ],
)
def test_the_interval_is_student_t(values: list[float], mean: float, half_width: float) -> None:
    found = estimate(values)
    assert (found.n, found.mean) == (len(values), mean)
    assert found.half_width == pytest.approx(half_width, rel=1e-4)
