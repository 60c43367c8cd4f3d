"""Simulated campaigns: how often tests find what is not there, and what is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from senet_repro.stats.crossed import estimate_crossed
from senet_repro.stats.estimates import LEVEL, Estimate, estimate_mean, least_sd_pct, p_below
from senet_repro.stats.looks import correct_for_looks
from tests.stats.populations import Population

MOST_SEEDS = 30
"""Seeds that somebody who looks after each of them trains at most."""

MARGIN = 2.0
"""Of an equivalence, in standard deviations of a difference."""


def tolerate_chance(draws: int, level: float = LEVEL) -> float:
    """Return three standard errors of a rate that is simulated with so many draws."""
    return 3 * float(level * (1 - level) / draws) ** 0.5


@dataclass(frozen=True)
class CrossedRates:
    """How often networks that are equal on their population are told apart."""

    crossed: float
    over_seeds: float  # by the test that takes the images for the population
    coverage: float  # of the crossed interval
    half_width: float  # its mean


def simulate_crossed(population: Population, seeds: int, images: int, draws: int) -> CrossedRates:
    """Return the rates of a one-sided test at LEVEL, each draw with new images and new runs."""
    rng = np.random.default_rng(seeds * images)
    crossed: list[Estimate] = []
    over_seeds: list[Estimate] = []
    for _ in range(draws):
        values = population.draw_differences(rng, seeds, images)
        crossed.append(estimate_crossed(values))
        over_seeds.append(estimate_mean(values.mean(axis=1).tolist(), least_sd_pct(images)))
    covered = [abs(one.mean) <= (one.half_width or 0.0) for one in crossed]
    return CrossedRates(
        float(np.mean([p_below(one) <= LEVEL for one in crossed])),
        float(np.mean([p_below(one) <= LEVEL for one in over_seeds])),
        float(np.mean(covered)),
        float(np.mean([one.half_width or 0.0 for one in crossed])),
    )


def list_p_below(values: np.ndarray) -> np.ndarray:
    """Return the one-sided p of a mean below 0 of the first 2, 3, ... values of each line."""
    n = np.arange(1, values.shape[-1] + 1)
    means = values.cumsum(axis=-1) / n
    squares = (values**2).cumsum(axis=-1) - n * means**2
    variances = np.maximum(squares[..., 1:], 1e-12) / (n[1:] - 1)
    p_values: np.ndarray = stdtr(n[1:] - 1, means[..., 1:] / np.sqrt(variances / n[1:]))
    return p_values


def correct_all(p_values: np.ndarray, first: int) -> np.ndarray:
    """Return p values of 2, 3, ... seeds, corrected for looks."""
    corrected = np.ones_like(p_values)
    for n in range(first, p_values.shape[-1] + 2):
        # The correction is a factor, but for its bound of 1.
        factor = correct_for_looks(1e-9, n, first) / 1e-9
        corrected[..., n - 2] = np.minimum(1.0, p_values[..., n - 2] * factor)
    return corrected


def share_passed(p_values: np.ndarray, level: float = LEVEL) -> float:
    """Return the share of campaigns, a line each, that pass at any look."""
    return float(np.mean(p_values.min(axis=-1) <= level))


@dataclass(frozen=True)
class PeekingRates:
    """How often nothing is called something by somebody who looks after every seed."""

    uncorrected: float
    lower: float
    equivalent: float
    any_of_four: float


def simulate_peeking(draws: int, first: int, seed: int) -> PeekingRates:
    """Return the rates at LEVEL of one claim, lower or equivalent, and of the four of a table."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(draws, MOST_SEEDS))
    # An equivalence whose true difference is the margin.
    tost = np.maximum(list_p_below(noise), list_p_below(-noise - 2 * MARGIN))
    # Four networks against one baseline: the first that Holm accepts has a p of a quarter of the level.
    baseline = rng.normal(size=(draws, 1, MOST_SEEDS))
    family = rng.normal(size=(draws, 4, MOST_SEEDS)) - baseline
    least = correct_all(list_p_below(family), first).min(axis=1)
    return PeekingRates(
        share_passed(list_p_below(noise)),
        share_passed(correct_all(list_p_below(noise), first)),
        share_passed(correct_all(tost, first)),
        share_passed(least, LEVEL / 4),
    )
