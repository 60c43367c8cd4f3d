"""Seeds that a test needs against statsmodels, scipy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import nct, t
from statsmodels.stats.power import TTestPower

from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.looks import price_looks
from senet_repro.stats.power import (
    OneSidedTest,
    bound_distance,
    count_seeds_jointly,
    find_detectable,
    power_between,
    simulate_power,
)

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
    tests = build_tests((1, -1), distance=effect, sd=1.0)
    assert count_seeds_jointly(tests, 0.8, lambda n: level) == math.ceil(oracle)


@pytest.mark.parametrize("mean", [0.0, 0.05, -0.06])
def test_the_power_of_an_equivalence_is_what_simulation_finds(mean: float) -> None:
    n, sd, margin, draws = 12, 0.1, 0.1, 20_000
    values = np.random.default_rng(1).normal(mean, sd, (draws, n))
    needed = t.ppf(0.95, n - 1) * values.std(1, ddof=1) / n**0.5
    share = np.mean(np.abs(values.mean(1)) + needed <= margin)
    assert power_between(n, mean, sd, (-margin, margin)) == pytest.approx(share, abs=0.012)


def test_a_great_effect_needs_two_seeds_and_never_fewer() -> None:
    tests = build_tests((1, -1), distance=1000.0)
    assert count_seeds_jointly(tests, 0.8, lambda n: LEVEL) == 2


def build_tests(
    *weights: tuple[float, ...], distance: float = 0.3, sd: float = 0.3, images_error: float = 0.0
) -> list[OneSidedTest]:
    """Return tests of weighted sums of rows a, b, c ... that lie equally far from their bounds."""
    tests = []
    for one in weights:
        named = {row: weight for row, weight in zip("abcdefg", one, strict=False) if weight}
        tests.append(
            OneSidedTest(weights=named, distance=distance, sd=sd, images_error=images_error)
        )
    return tests


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_the_power_of_a_chain_is_what_simulated_campaigns_find(n: int) -> None:
    """Rows a < b < c: the row in the middle counts in both pairs."""
    draws, sd = 20_000, 0.3
    tests = build_tests((1, -1, 0), (0, 1, -1), distance=0.5, sd=sd * 2**0.5)
    rows = np.random.default_rng(0).normal(0.0, sd, (3, draws, n)) + np.array(
        [[[0.0]], [[0.5]], [[1.0]]]
    )
    passed = np.ones(draws, dtype=bool)
    for better, worse in ((0, 1), (1, 2)):
        differences = rows[better] - rows[worse]
        scores = differences.mean(1) / differences.std(1, ddof=1) * n**0.5
        passed &= scores <= t.ppf(0.05, n - 1)
    assert simulate_power(n, tests) == pytest.approx(passed.mean(), abs=0.025)


def test_one_test_has_the_power_of_student_t_and_independent_ones_its_product() -> None:
    alone = simulate_power(8, build_tests((1, -1)))
    assert alone == power_between(8, -0.3, 0.3, BELOW_ZERO)
    apart = build_tests((1, -1, 0, 0), (0, 0, 1, -1))
    assert simulate_power(8, apart) == pytest.approx(alone**2, abs=0.02)
    either = simulate_power(8, apart, is_any_enough=True)
    assert either == pytest.approx(1 - (1 - alone) ** 2, abs=0.02)


def test_an_equivalence_has_the_power_of_tost() -> None:
    both_sides = build_tests((1, -1), (-1, 1), distance=0.1, sd=0.1)
    expected = power_between(12, 0.0, 0.1, (-0.1, 0.1))
    assert simulate_power(12, both_sides) == pytest.approx(expected, abs=0.02)


def test_the_seeds_of_a_claim_are_those_that_pass_all_its_tests() -> None:
    chain = build_tests((1, -1, 0), (0, 1, -1))
    joint = count_seeds_jointly(chain, 0.8, lambda n: LEVEL)
    alone = count_seeds_jointly(chain[:1], 0.8, lambda n: LEVEL)
    assert joint is not None
    assert alone is not None
    assert joint > alone
    assert simulate_power(joint, chain) >= 0.8 > simulate_power(joint - 1, chain)
    looked_at = count_seeds_jointly(chain, 0.8, lambda n: LEVEL / price_looks(n, 3))
    assert looked_at is not None
    assert looked_at > joint


@pytest.mark.parametrize(
    "tests",
    [
        build_tests((1, -1), distance=-0.1),
        build_tests((1, -1), distance=0.001),
        build_tests((1, -1), images_error=0.2),
    ],
    ids=["beyond the bound", "too near to it", "less than the images tell"],
)
def test_what_no_seeds_show_has_no_number(tests: list[OneSidedTest]) -> None:
    assert count_seeds_jointly(tests, 0.8, lambda n: LEVEL) is None


@pytest.mark.parametrize("n", [3, 10])
def test_the_least_detectable_effect_has_the_power_that_was_asked_for(n: int) -> None:
    effect = find_detectable(n, build_tests((1, -1)), 0.8)
    assert power_between(n, -effect, 0.3, BELOW_ZERO) == pytest.approx(0.8, abs=0.015)
    images = find_detectable(n, build_tests((1, -1), images_error=0.3), 0.8)
    assert images > effect


def test_the_lower_bound_of_an_effect_is_that_of_the_noncentral_t() -> None:
    test = OneSidedTest(weights={"a": 1.0, "b": -1.0}, distance=0.5, sd=0.3, seeds=3)
    least = bound_distance(test).distance / 0.3 * 3**0.5
    assert nct.sf(0.5 / 0.3 * 3**0.5, 2, least) == pytest.approx(0.2, abs=1e-4)
