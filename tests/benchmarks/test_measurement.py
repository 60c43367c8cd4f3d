"""A ratio is that of paired rounds, and a wrong answer is not timed."""

from __future__ import annotations

import math

import pytest

from senet_repro.benchmarks.measurement import measure_in_turn, require_agreement


def test_the_ratio_is_the_median_of_paired_rounds_and_no_ratio_of_medians() -> None:
    # The machine slows down tenfold in the second round, for both.
    ours = iter([2.0, 30.0, 4.0])
    theirs = iter([1.0, 10.0, 4.0])
    order: list[str] = []

    def time_ours() -> float:
        order.append("ours")
        return next(ours)

    def time_theirs() -> float:
        order.append("theirs")
        return next(theirs)

    measured = measure_in_turn(time_ours, time_theirs, 3, what="step", yardstick="loop", goal=1.5)
    assert (measured.ours, measured.theirs) == (4.0, 4.0)
    assert (measured.ratio, measured.lowest, measured.highest) == (2.0, 1.0, 3.0)
    assert measured.meets_goal is False
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]


@pytest.mark.parametrize(
    ("goal", "is_more_better", "meets"),
    [(None, False, None), (2.0, True, True), (0.5, False, False)],
)
def test_a_goal_is_the_most_or_the_least_that_a_ratio_may_be(
    goal: float | None, is_more_better: bool, meets: bool | None
) -> None:
    measured = measure_in_turn(
        lambda: 4.0,
        lambda: 2.0,
        1,
        what="input",
        yardstick="PIL",
        unit="images/s",
        goal=goal,
        is_more_better=is_more_better,
    )
    assert measured.meets_goal is meets


@pytest.mark.parametrize("difference", [0.2, math.nan])
def test_ways_that_do_not_agree_are_not_timed(difference: float) -> None:
    with pytest.raises(RuntimeError, match="logits differ by"):
        require_agreement("logits", difference, 0.1)
