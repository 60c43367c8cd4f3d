"""Intervals over seeds and images against statsmodels, and the level that they keep where seeds alone do not."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from statsmodels.api import stats
from statsmodels.formula.api import ols

from senet_repro.stats.crossed import estimate_crossed
from senet_repro.stats.estimates import LEVEL, estimate_mean, least_sd_pct, p_below
from tests.stats.populations import Population
from tests.stats.simulations import simulate_crossed, tolerate_chance


def test_the_variance_is_that_of_an_analysis_of_variance() -> None:
    rng = np.random.default_rng(0)
    seeds, images = 4, 30
    values = 50 * rng.normal(size=images) + 20 * rng.normal(size=(seeds, 1))
    values = values + 20 * rng.normal(size=(seeds, images))
    found = estimate_crossed(values)

    seed, image = np.indices(values.shape)
    long = pd.DataFrame({"y": values.ravel(), "seed": seed.ravel(), "image": image.ravel()})
    squares = stats.anova_lm(ols("y ~ C(seed) + C(image)", long).fit())
    mean_squares = (squares["sum_sq"] / squares["df"]).to_dict()
    variance = mean_squares["C(seed)"] + mean_squares["C(image)"] - mean_squares["Residual"]
    assert (found.n, found.mean) == (seeds, pytest.approx(values.mean()))
    assert found.standard_error == pytest.approx((variance / values.size) ** 0.5)
    assert found.sd == pytest.approx(values.mean(axis=1).std(ddof=1))


def test_the_interval_is_as_wide_as_banerjees_at_the_level_it_is_made_for() -> None:
    values = Population().draw_differences(np.random.default_rng(3), 3, 2000)
    found = estimate_crossed(values)
    over_seeds = estimate_mean(values.mean(axis=1).tolist())
    assert found.standard_error is not None
    assert over_seeds.standard_error is not None
    seeds_part = over_seeds.standard_error**2
    images_part = found.standard_error**2 - seeds_part
    squared = seeds_part * t.ppf(0.999, 2) ** 2 + images_part * t.ppf(0.999, 1999) ** 2
    assert t.ppf(0.999, found.degrees) * found.standard_error == pytest.approx(squared**0.5)
    assert 2 < (found.degrees or 0) < 1999


@pytest.mark.parametrize("images", [200, 10_000])
def test_seeds_that_agree_on_every_image_leave_the_images_uncertain(images: int) -> None:
    """Seeds agree to the image: what is left is the difference of two networks, as McNemar's test has it."""
    first_alone = np.arange(images) < 0.03 * images
    second_alone = np.arange(images) >= 0.95 * images
    values = np.tile(100.0 * first_alone - 100.0 * second_alone, (5, 1))
    found = estimate_crossed(values)
    sampled = values[0].std(ddof=1) / images**0.5
    assert found.mean == pytest.approx(-2.0)
    assert found.standard_error == pytest.approx(
        np.hypot(sampled, least_sd_pct(images) / 5**0.5), rel=1e-6
    )


def test_no_difference_on_any_image_is_no_evidence_of_one() -> None:
    found = estimate_crossed(np.zeros((3, 500)))
    assert found == estimate_mean([0.0, 0.0, 0.0], least_sd_pct(500))
    assert p_below(found) == 0.5


def test_images_that_say_nothing_leave_the_interval_of_the_seeds() -> None:
    """Differences that are the same on every image, as where a seed moves all of them alike."""
    seed_means = [0.2, -0.1, 0.4]
    found = estimate_crossed(np.tile(np.array(seed_means)[:, None], (1, 10_000)))
    expected = estimate_mean(seed_means)
    assert found.half_width == pytest.approx(expected.half_width)
    assert found.degrees == pytest.approx(2)


def test_ten_thousand_images_take_no_time() -> None:
    values = np.random.default_rng(0).normal(size=(10, 10_000))
    estimate_crossed(values)
    started = time.process_time()
    for _ in range(10):
        estimate_crossed(values)
    assert (time.process_time() - started) / 10 < 0.02


@pytest.mark.parametrize("seeds", [3, 10])
def test_networks_equal_on_their_population_are_rarely_told_apart(seeds: int) -> None:
    draws = 400
    rates = simulate_crossed(Population(), seeds, 500, draws)
    assert rates.crossed <= LEVEL + tolerate_chance(draws)
    assert rates.coverage >= 1 - LEVEL - tolerate_chance(draws)
    assert rates.over_seeds > rates.crossed
