"""Means, intervals and tests against hand numbers and statsmodels, and the level that they keep."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from senet_repro.stats.estimates import (
    LEVEL,
    Estimate,
    adjust_holm,
    estimate_mean,
    least_sd_pct,
    p_above,
    p_below,
    p_beyond,
    p_within,
)


def test_one_seed_has_no_interval_and_is_no_evidence() -> None:
    found = estimate_mean([2.5])
    assert found == Estimate(1, 2.5)
    assert {p_below(found), p_above(found), p_within(found, 9.0), p_beyond(found, 0.1)} == {1.0}


def test_seeds_that_are_all_alike_tell_no_spread_and_are_no_evidence() -> None:
    found = estimate_mean([2.5, 2.5, 2.5])
    assert {p_below(found, 9.0), p_above(found), p_within(found, 9.0), p_beyond(found, 0.1)} == {
        1.0
    }


@pytest.mark.parametrize(
    ("values", "mean", "sd", "half_width"),
    [
        # t(0.975) is 12.7062, 4.3027 and 2.7764 for 1, 2 and 4 degrees of freedom
        ([1.0, 3.0], 2.0, 2**0.5, 12.7062),
        ([1.0, 2.0, 3.0], 2.0, 1.0, 4.30265 / 3**0.5),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 3.0, 2.5**0.5, 2.77645 * 2.5**0.5 / 5**0.5),
        ([2.0, 2.0, 2.0], 2.0, 0.0, 0.0),
    ],
)
def test_the_interval_is_student_t(
    values: list[float], mean: float, sd: float, half_width: float
) -> None:
    found = estimate_mean(values)
    assert (found.n, found.mean) == (len(values), mean)
    assert found.half_width == pytest.approx(half_width, rel=1e-4)
    assert found.sd == pytest.approx(sd)


SAMPLES = [
    np.random.default_rng(seed).normal(-0.3, 0.4, n) for seed, n in enumerate((2, 3, 3, 5, 10))
]


@pytest.mark.parametrize("values", SAMPLES, ids=lambda values: f"n={len(values)}")
@pytest.mark.parametrize("bound", [0.0, 0.2, -0.5])
def test_one_sided_p_values_are_those_of_statsmodels(values: np.ndarray, bound: float) -> None:
    found, oracle = estimate_mean(list(values)), DescrStatsW(values)
    assert p_below(found, bound) == pytest.approx(oracle.ttest_mean(bound, "smaller")[1], rel=1e-9)
    assert p_above(found, bound) == pytest.approx(oracle.ttest_mean(bound, "larger")[1], rel=1e-9)


@pytest.mark.parametrize("values", SAMPLES, ids=lambda values: f"n={len(values)}")
@pytest.mark.parametrize("margin", [0.1, 0.5, 2.0])
def test_tost_is_that_of_statsmodels(values: np.ndarray, margin: float) -> None:
    base = np.linspace(20.0, 23.0, len(values))
    oracle = ttost_paired(base + values, base, -margin, margin)[0]
    assert p_within(estimate_mean(list(values)), margin) == pytest.approx(oracle, rel=1e-6)


def test_p_values_equal_hand_numbers() -> None:
    # The differences -1, -2, -3: t = -2 sqrt(3), of which Student's t with 2 degrees of freedom has 0.03709 below.
    found = estimate_mean([-1.0, -2.0, -3.0])
    assert p_below(found) == pytest.approx(0.0370900, abs=1e-6)
    # With 1 degree of freedom it is Cauchy's: -1 and -3 give t = -2, and 1/2 - atan(2)/pi below.
    assert p_below(estimate_mean([-1.0, -3.0])) == pytest.approx(0.5 - np.arctan(2.0) / np.pi)
    assert p_above(found) == pytest.approx(1 - p_below(found))
    assert p_beyond(found, 1.0) == pytest.approx(2 * p_below(found, -1.0))
    assert p_beyond(found, 5.0) == 1.0


@pytest.mark.parametrize(
    "p_values",
    [[0.01, 0.04, 0.03], [0.5, 0.5], [0.02], [0.0, 1.0, 0.3, 0.024, 0.025], [0.011, 0.012, 0.013]],
)
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert adjust_holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_holm_of_no_claim_is_nothing() -> None:
    assert adjust_holm([]) == []


def test_seeds_that_agree_to_the_image_are_not_certain() -> None:
    one_image = least_sd_pct(360)
    assert one_image == pytest.approx(100 / 360)
    one, ten = (estimate_mean([-images * one_image] * 3, one_image) for images in (1, 10))
    assert p_below(one) == pytest.approx(0.1127, abs=1e-4)  # t = -sqrt(3)
    assert 0 < p_below(ten) < 0.01
    assert ten.half_width == pytest.approx(4.30265 * one_image / 3**0.5, rel=1e-4)
    same = estimate_mean([0.0, 0.0, 0.0], one_image)
    assert p_below(same) == 0.5
    assert p_within(same, one_image) > LEVEL > p_within(same, 3 * one_image)


# Simulations: what is called reproduced though it does not hold.

DRAWS = 4000
TOLERANCE = 3 * (LEVEL * (1 - LEVEL) / DRAWS) ** 0.5  # three standard errors of the simulated rate


def _estimates(differences: np.ndarray, least_sd: float = 0.0) -> list[Estimate]:
    """One for each line of n differences."""
    n = differences.shape[1]
    means, sds = differences.mean(1), np.maximum(differences.std(1, ddof=1), least_sd)
    return [
        Estimate(n, mean, None, sd, sd / n**0.5, n - 1)
        for mean, sd in zip(means.tolist(), sds.tolist(), strict=True)
    ]


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.05, 0.2, 1.0])
def test_one_claim_is_falsely_reproduced_at_most_at_the_level(n: int, spread: float) -> None:
    noise = np.random.default_rng(n).normal(0.0, spread, (DRAWS, n))
    lower = np.mean([p_below(found) <= LEVEL for found in _estimates(noise)])
    equivalent = np.mean([p_within(found, 0.1) <= LEVEL for found in _estimates(0.1 + noise)])
    beyond = np.mean([p_beyond(found, 0.1) <= LEVEL for found in _estimates(0.1 + noise)])
    assert max(lower, equivalent, beyond) <= LEVEL + TOLERANCE
    assert lower >= LEVEL - TOLERANCE  # nor is the test of a difference wasteful


def test_any_claim_of_a_family_is_falsely_reproduced_at_most_at_the_level() -> None:
    """Six rows against one baseline, three claimed lower and three equivalent, none of which they are, at n = 3."""
    rng = np.random.default_rng(0)
    baseline = rng.normal(23.3, 0.1, (DRAWS, 1, 3))
    true = np.array([0.0, 0.0, 0.0, 0.2, -0.2, 0.2])[:, None]
    differences = 23.3 + true + rng.normal(0.0, 0.1, (DRAWS, 6, 3)) - baseline
    wrong = 0
    for family in differences:
        found = _estimates(family)
        p_values = [
            *(p_below(one) for one in found[:3]),
            *(p_within(one, 0.2) for one in found[3:]),
        ]
        wrong += min(adjust_holm(p_values)) <= LEVEL
    assert wrong / DRAWS <= LEVEL + TOLERANCE


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_counts_of_images_keep_the_level_whatever_their_spread(n: int) -> None:
    """Differences of two counts of images with a common mean: the case in which few seeds agree by chance."""
    rng = np.random.default_rng(n)
    for spread in (0.3, 0.5, 0.8, 1.5, 4.0):
        mean = rng.uniform(0.0, 1.0, (DRAWS, 1))
        one, other = (np.round(rng.normal(mean, spread, (DRAWS, n))) for _ in range(2))
        found = _estimates(
            one - other, least_sd_pct(100)
        )  # of a hundred images: a step is one point
        assert np.mean([p_below(difference) <= LEVEL for difference in found]) <= LEVEL + TOLERANCE
