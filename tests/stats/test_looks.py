"""Looking after every seed: the level that is kept, and the power that is left."""

from __future__ import annotations

import numpy as np
import pytest

from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.looks import correct_for_looks
from tests.stats.simulations import (
    correct_all,
    list_p_below,
    share_passed,
    simulate_peeking,
    tolerate_chance,
)


def test_p_grows_with_the_looks_and_never_exceeds_one() -> None:
    assert correct_for_looks(0.01, 3, 3) == pytest.approx(0.03)
    assert correct_for_looks(0.01, 12, 3) == pytest.approx(0.24)
    assert correct_for_looks(0.5, 12, 3) == 1.0
    assert correct_for_looks(0.0, 2, 3) == 1.0


def test_who_looks_after_every_seed_up_to_thirty_is_rarely_fooled() -> None:
    draws = 2000
    rates = simulate_peeking(draws, first=3, seed=0)
    assert rates.uncorrected > 3 * LEVEL
    most = max(rates.lower, rates.equivalent, rates.any_of_four)
    assert most <= LEVEL + tolerate_chance(draws)


def test_a_growing_number_of_seeds_finds_what_is_there() -> None:
    values = np.random.default_rng(1).normal(-2.0, 1.0, (4000, 10))
    corrected = correct_all(list_p_below(values), 3)
    assert share_passed(corrected) == pytest.approx(0.99, abs=0.02)
    up_to_five = corrected[:, :4]
    assert share_passed(up_to_five) == pytest.approx(0.72, abs=0.03)
