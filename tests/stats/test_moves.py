"""How far figures move, and when that is more than chance, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from senet_repro.stats.estimates import Estimate, estimate_mean
from senet_repro.stats.moves import Noise, estimate_single_move, find_rms, p_moved, pool_spreads

ROWS = [[3.0, 3.4, 3.1], [5.0, 5.1], [7.0]]


def test_spreads_are_pooled_within_rows_and_count_no_more_than_the_rows_do() -> None:
    noise = pool_spreads(ROWS)
    assert noise is not None
    squares = 2 * np.var(ROWS[0], ddof=1) + np.var(ROWS[1], ddof=1)
    assert noise.sd == pytest.approx((squares / 3) ** 0.5)
    assert (noise.degrees, noise.rows) == (2, 2)
    assert pool_spreads([[1.0, 2.0]]) == Noise(pytest.approx(0.5**0.5), 1, 1)
    assert pool_spreads([[7.0], []]) is None


def test_several_moves_are_tested_on_both_sides_by_students_t() -> None:
    moves = [0.3, 0.5, 0.1, 0.2]
    assert p_moved(estimate_mean(moves)) == pytest.approx(ttest_1samp(moves, 0).pvalue)
    assert p_moved(estimate_mean([-move for move in moves])) == p_moved(estimate_mean(moves))


@pytest.mark.parametrize(
    ("own", "least_sd", "run_sd"),
    [([], 0.0, 0.2), ([3.0], 0.0, 0.2), ([3.0, 3.1], 0.0, 0.2), ([3.0, 4.0], 0.0, 0.5**0.5)],
)
def test_a_single_move_is_set_against_the_noise_of_two_runs(
    own: list[float], least_sd: float, run_sd: float
) -> None:
    found = estimate_single_move(0.9, Noise(0.2, 4, 4), own, least_sd)
    expected = 2 * student.sf(0.9 / (2**0.5 * run_sd), 4)
    assert p_moved(found) == pytest.approx(expected)
    assert (found.n, found.mean) == (1, 0.9)


def test_noise_below_one_image_is_not_believed() -> None:
    assert estimate_single_move(0.1, Noise(0.0, 3, 3), [], 0.28).standard_error == 0.28


@pytest.mark.parametrize(
    ("difference", "p_value"),
    [
        (Estimate(1, 5.0), 1.0),
        (estimate_mean([0.0, 0.0]), 1.0),
        (estimate_mean([2.0, 2.0]), 0.0),
    ],
    ids=["one value without noise", "nothing moved", "all moved alike"],
)
def test_without_a_spread_there_is_nothing_or_everything_to_show(
    difference: Estimate, p_value: float
) -> None:
    assert p_moved(difference) == p_value


def test_the_root_mean_square_takes_no_sign() -> None:
    assert find_rms([3.0, -4.0]) == pytest.approx(12.5**0.5)
