"""Two networks by images and by runs, against scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm
from statsmodels.stats.contingency_tables import mcnemar as oracle_mcnemar

from senet_repro.stats.networks import chance_better, mcnemar, share_disagreeing


@pytest.mark.parametrize(
    ("first_alone", "second_alone"), [(3, 9), (9, 3), (0, 5), (5, 5), (40, 71)]
)
def test_mcnemar_is_that_of_statsmodels(first_alone: int, second_alone: int) -> None:
    images = np.arange(300)
    first = images < 100 + first_alone
    second = (images < 100) | (images >= 300 - second_alone)
    table = [[100, first_alone], [second_alone, 200 - first_alone - second_alone]]
    assert mcnemar(first, second) == pytest.approx(oracle_mcnemar(table, exact=True).pvalue)


def test_networks_that_hit_the_same_images_are_not_told_apart() -> None:
    hits = np.arange(50) % 3 == 0
    assert mcnemar(hits, hits) == 1.0
    assert share_disagreeing(hits, hits) == 0.0
    assert share_disagreeing(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0])) == 0.5


def test_the_chance_is_mann_and_whitneys_and_ties_count_half() -> None:
    first, second = [1.0, 2.0, 2.0, 5.0], [2.0, 3.0, 4.0]
    wins = mannwhitneyu(second, first).statistic
    found = chance_better(first, second)
    assert found.value == pytest.approx(wins / 12)
    mirrored = chance_better(second, first)
    assert (mirrored.value, mirrored.low) == pytest.approx((1 - found.value, 1 - found.high))


def test_even_the_best_runs_leave_the_chance_uncertain() -> None:
    found = chance_better([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.3 < found.low < 0.6


@pytest.mark.parametrize("gap", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("runs", [3, 10])
def test_the_interval_covers_the_true_chance(runs: int, gap: float) -> None:
    rng = np.random.default_rng(runs)
    true = norm.cdf(gap / 2**0.5)
    draws, covered = 150, 0
    for _ in range(draws):
        first, second = rng.normal(-gap, 1.0, runs), rng.normal(0.0, 1.0, runs)
        found = chance_better(first.tolist(), second.tolist())
        covered += found.low <= true <= found.high
    assert covered / draws >= 0.95 - 3 * (0.05 * 0.95 / draws) ** 0.5
