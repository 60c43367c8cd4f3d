"""A difference against a share of a gain: Fieller's interval, and the level at the margin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from senet_repro.stats.crossed import estimate_crossed
from senet_repro.stats.estimates import LEVEL, Estimate, estimate_mean
from senet_repro.stats.ratio import p_beyond_share, p_within_share
from tests.stats.populations import Population
from tests.stats.simulations import tolerate_chance

SHARE = 0.4


def contrast(differences: np.ndarray, gains: np.ndarray) -> tuple[Estimate, Estimate, Estimate]:
    """Return the estimates of d - s g, of -d - s g and of g."""
    above = estimate_mean((differences - SHARE * gains).tolist())
    below = estimate_mean((-differences - SHARE * gains).tolist())
    return above, below, estimate_mean(gains.tolist())


def list_fieller_limits(differences: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Return the two ratios d / g that a two-sided test at 10 % just does not refuse."""
    n = len(gains)
    squared = t.ppf(0.95, n - 1) ** 2 / n
    covariance = np.cov(differences, gains)
    coefficients = [
        gains.mean() ** 2 - squared * covariance[1, 1],
        -2 * (differences.mean() * gains.mean() - squared * covariance[0, 1]),
        differences.mean() ** 2 - squared * covariance[0, 0],
    ]
    return np.sort(np.roots(coefficients).real)


@pytest.mark.parametrize("seed", range(8))
def test_within_a_share_is_where_fiellers_interval_lies_within_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    differences, gains = rng.normal(0.15, 0.15, 5), rng.normal(1.0, 0.15, 5)
    above, below, _ = contrast(differences, gains)
    low, high = list_fieller_limits(differences, gains)
    is_within = low > -SHARE and high < SHARE
    assert (p_within_share(above, below) <= LEVEL) == is_within


def test_without_a_gain_nothing_is_within_a_share_of_it_nor_beyond() -> None:
    differences = np.array([0.5, 0.6, 0.55, 0.45])
    gains = np.array([0.1, -0.2, 0.1, -0.1])
    above, below, gain = contrast(differences, gains)
    assert p_within_share(above, below) > 0.5
    assert p_beyond_share(above, below, gain) > 0.5
    above, below, gain = contrast(differences + 0.2, gains + 1.0)
    assert p_beyond_share(above, below, gain) <= LEVEL


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("gain_sd", [0.1, 0.5])
def test_at_the_margin_both_tests_keep_the_level(n: int, gain_sd: float) -> None:
    """The difference is as large as the share of the gain, and shares a row with it."""
    rng = np.random.default_rng(n)
    draws, within, beyond = 1000, 0, 0
    for _ in range(draws):
        shared = rng.normal(0.0, 0.1, n)
        differences = SHARE + rng.normal(0.0, 0.1, n) - shared
        gains = 1.0 + rng.normal(0.0, gain_sd, n) - shared
        above, below, gain = contrast(differences, gains)
        within += p_within_share(above, below) <= LEVEL
        beyond += p_beyond_share(above, below, gain) <= LEVEL
    assert within / draws <= LEVEL + tolerate_chance(draws)
    assert beyond / draws <= LEVEL + tolerate_chance(draws)


def test_at_the_margin_the_level_is_kept_over_seeds_and_images() -> None:
    """A row that has lost the very share of the gain on the population of the images."""
    rng = np.random.default_rng(0)
    population = Population(hard=0.1)
    draws, images, seeds, within = 250, 500, 5, 0
    for _ in range(draws):
        gains = population.draw_differences(rng, seeds, images) + 20.0
        differences = population.draw_differences(rng, seeds, images) + SHARE * 20.0
        above = estimate_crossed(differences - SHARE * gains)
        below = estimate_crossed(-differences - SHARE * gains)
        within += p_within_share(above, below) <= LEVEL
    assert within / draws <= LEVEL + tolerate_chance(draws)
