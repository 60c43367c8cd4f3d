"""Seeds that a test needs against statsmodels, scipy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import nct, t
from statsmodels.stats.power import TTestPower

from senet_repro.stats.power import MOST_SEEDS, count_seeds_needed, power_between

BELOW_ZERO = (-math.inf, 0.0)


@pytest.mark.parametrize("n", [2, 3, 8, 50])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_power_of_a_t_test_is_that_of_the_noncentral_t(n: int, level: float) -> None:
    effect = 0.6
    exact = nct.sf(t.ppf(1 - level, n - 1), n - 1, effect * n**0.5)
    assert power_between(n, -0.3, 0.5, BELOW_ZERO, level) == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize(("effect", "level"), [(0.3, 0.05), (0.8, 0.05), (0.5, 0.01), (2.0, 0.05)])
def test_seeds_are_those_of_statsmodels(effect: float, level: float) -> None:
    oracle = TTestPower().solve_power(effect, power=0.8, alpha=level, alternative="larger")
    assert count_seeds_needed(-effect, 1.0, BELOW_ZERO, 0.8, level) == math.ceil(oracle)


@pytest.mark.parametrize("mean", [0.0, 0.05, -0.06])
def test_the_power_of_an_equivalence_is_what_simulation_finds(mean: float) -> None:
    n, sd, margin, draws = 12, 0.1, 0.1, 20_000
    values = np.random.default_rng(1).normal(mean, sd, (draws, n))
    needed = t.ppf(0.95, n - 1) * values.std(1, ddof=1) / n**0.5
    share = np.mean(np.abs(values.mean(1)) + needed <= margin)
    assert power_between(n, mean, sd, (-margin, margin)) == pytest.approx(share, abs=0.012)


def test_power_reaches_what_was_asked_and_one_seed_less_does_not() -> None:
    seeds = count_seeds_needed(0.02, 0.1, (-0.1, 0.1), 0.8)
    assert seeds is not None
    assert (
        power_between(seeds, 0.02, 0.1, (-0.1, 0.1))
        >= 0.8
        > power_between(seeds - 1, 0.02, 0.1, (-0.1, 0.1))
    )


def test_a_great_effect_needs_two_seeds_and_never_fewer() -> None:
    assert count_seeds_needed(-1000.0, 1.0, BELOW_ZERO, 0.8) == 2


@pytest.mark.parametrize("mean", [0.0, 0.5, -0.001])
def test_what_no_number_of_seeds_shows_is_none(mean: float) -> None:
    assert count_seeds_needed(mean, 1.0, BELOW_ZERO, 0.8) is None
    assert power_between(MOST_SEEDS, mean, 1.0, BELOW_ZERO) < 0.8
