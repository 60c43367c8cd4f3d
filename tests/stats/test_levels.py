"""Levels and powers by simulation, with more draws than the gate has time for: `make test-statistics`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import stdtr

from senet_repro.stats.crossed import estimate_crossed
from senet_repro.stats.estimates import LEVEL, p_below
from senet_repro.stats.looks import correct_for_looks
from senet_repro.stats.power import (
    OneSidedTest,
    bound_distance,
    count_seeds_jointly,
    power_between,
)
from tests.stats.populations import Population
from tests.stats.simulations import (
    MOST_SEEDS,
    correct_all,
    list_p_below,
    simulate_crossed,
    simulate_peeking,
    tolerate_chance,
)

pytestmark = [pytest.mark.slow, pytest.mark.statistics]


@pytest.mark.parametrize("images", [300, 1000, 10_000])
@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 20])
@pytest.mark.parametrize(
    "population",
    [
        Population(),
        Population(run_sd_pct=0.2),
        Population(run_sd_pct=1.0),
        Population(hard=0.02),
        Population(hard=0.5),
    ],
    ids=["usual", "moved by the seed", "moved much by the seed", "few hard images", "many"],
)
def test_the_crossed_test_keeps_its_level_whatever_varies(
    population: Population, seeds: int, images: int
) -> None:
    draws = 2000 if images < 10_000 else 400
    rates = simulate_crossed(population, seeds, images, draws)
    # Shown by `pytest -rP`.
    print(rates)
    assert rates.crossed <= LEVEL + tolerate_chance(draws)
    assert rates.coverage >= 1 - LEVEL - tolerate_chance(draws)


@pytest.mark.parametrize("first", [2, 3, 4, 5, 10])
def test_looking_keeps_the_level_from_any_first_look(first: int) -> None:
    draws = 20_000
    rates = simulate_peeking(draws, first, seed=first)
    print(rates)
    most = max(rates.lower, rates.equivalent, rates.any_of_four)
    assert most <= LEVEL + tolerate_chance(draws)


@pytest.mark.parametrize("first", [2, 3, 5, 10])
def test_looking_keeps_the_strict_levels_of_one_claim_among_many(first: int) -> None:
    rng = np.random.default_rng(first)
    least = []
    for _ in range(10):
        noise = rng.normal(size=(20_000, MOST_SEEDS))
        least.append(correct_all(list_p_below(noise), first).min(axis=-1))
    lowest = np.concatenate(least)
    for level in (0.05, 0.0125, 0.005, 0.001):
        assert np.mean(lowest <= level) <= level + tolerate_chance(lowest.size, level)


@pytest.mark.parametrize("spread", [0.5, 1.5, 4.0])
def test_counts_of_few_images_keep_the_level_under_looking(spread: float) -> None:
    """Differences of counts of images, whose standard deviation is credited with one image at least."""
    draws = 20_000
    counts = np.round(np.random.default_rng(5).normal(0.3, spread, (2, draws, MOST_SEEDS)))
    differences = counts[0] - counts[1]
    passed = np.zeros(draws, dtype=bool)
    for n in range(3, MOST_SEEDS + 1):
        sd = np.maximum(differences[:, :n].std(axis=1, ddof=1), 1.0)
        p_values = stdtr(n - 1, differences[:, :n].mean(axis=1) / sd * n**0.5)
        passed |= p_values * correct_for_looks(1e-9, n, 3) / 1e-9 <= LEVEL
    assert passed.mean() <= LEVEL + tolerate_chance(draws)


def test_the_crossed_test_keeps_its_level_under_looking() -> None:
    """The images are the same at every look."""
    draws, images = 300, 500
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(draws):
        values = Population().draw_differences(rng, MOST_SEEDS, images)
        looks = []
        for n in range(3, MOST_SEEDS + 1):
            looks.append(correct_for_looks(p_below(estimate_crossed(values[:n])), n, 3))
        passed += min(looks) <= LEVEL
    assert passed / draws <= LEVEL + tolerate_chance(draws)


def test_a_plan_from_the_lower_bound_seldom_has_little_power() -> None:
    """Three seeds of an effect of one standard deviation, one of four claims, planned for a power of 0.8."""
    rng = np.random.default_rng(0)
    level = LEVEL / 8
    powers: dict[str, list[float]] = {"estimate": [], "lower bound": []}
    for _ in range(400):
        values = rng.normal(-1.0, 1.0, 3)
        sd = float(values.std(ddof=1))
        test = OneSidedTest(weights={"a": 1.0}, distance=-float(values.mean()), sd=sd, seeds=3)
        for name, planned in (("estimate", test), ("lower bound", bound_distance(test))):
            seeds = count_seeds_jointly([planned], 0.8, lambda n: level)
            # Where the effect so far may be none, nothing is planned.
            if seeds is not None:
                powers[name].append(power_between(seeds, -1.0, 1.0, (-math.inf, 0.0), level))
    below_half = {name: float(np.mean(np.array(found) < 0.5)) for name, found in powers.items()}
    print(below_half, {name: float(np.median(found)) for name, found in powers.items()})
    assert below_half["lower bound"] < below_half["estimate"] - 0.1
