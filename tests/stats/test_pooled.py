"""One answer over networks, against scipy, and its level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from senet_repro.stats.estimates import LEVEL, Estimate, estimate_mean, p_below
from senet_repro.stats.pooled import pool_differences
from tests.stats.simulations import tolerate_chance

MEANS = [-0.8, -1.1, -0.2, 0.1, -0.6]


def test_networks_count_alike_and_are_tested_as_a_sample() -> None:
    found = pool_differences([estimate_mean([mean - 0.3, mean + 0.3]) for mean in MEANS])
    assert found is not None
    assert p_below(found.difference) == pytest.approx(ttest_1samp(MEANS, 0, alternative="less")[1])
    assert (found.difference.n, found.difference.mean, found.below) == (5, pytest.approx(-0.52), 4)
    assert found.p_sign == pytest.approx(binomtest(4, 5, alternative="greater").pvalue)


def test_no_difference_has_no_sign_and_one_network_is_no_sample() -> None:
    found = pool_differences([Estimate(3, 0.0), Estimate(3, 0.0)])
    assert found is not None
    assert (found.below, found.p_sign) == (0, 1.0)
    assert pool_differences([Estimate(3, -1.0)]) is None


@pytest.mark.parametrize("networks", [3, 6])
def test_networks_that_gain_nothing_on_average_are_rarely_said_to(networks: int) -> None:
    """Networks whose own gains differ, some of them told worse than others."""
    rng = np.random.default_rng(networks)
    draws, wrong = 1500, 0
    noise = np.linspace(0.1, 1.0, networks)
    for _ in range(draws):
        means = rng.normal(0.0, 0.3, networks) + rng.normal(0.0, noise)
        found = pool_differences([Estimate(3, float(mean)) for mean in means])
        assert found is not None
        wrong += p_below(found.difference) <= LEVEL
    assert wrong / draws <= LEVEL + tolerate_chance(draws)
