"""How many seeds a test needs, were the true mean and spread those observed (results floor)."""

from __future__ import annotations

import math

from senet_repro.stats.estimates import LEVEL

MOST_SEEDS = 1000
"""Beyond this nobody trains; the answer is that more seeds are no way."""

_NODES = 2000


def power_between(
    n: int, mean: float, sd: float, bounds: tuple[float, float], level: float = LEVEL
) -> float:
    """How often n values place their mean between two bounds, each bound held by a one-sided t test at `level`.

    One bound at infinity makes it the t test of the other, whose power is that of the noncentral t; two make it TOST.
    The mean is normal and independent of the spread, so the power is its chance to be far enough from both bounds,
    averaged over equal shares of the distribution of the spread.
    """
    import numpy as np
    from scipy.special import chdtri, ndtr, stdtrit

    shares = (np.arange(_NODES) + 0.5) / _NODES
    spread = np.sqrt(chdtri(n - 1, shares) / (n - 1))
    away = float(stdtrit(n - 1, 1 - level)) * spread
    low, high = ((bound - mean) * math.sqrt(n) / sd for bound in bounds)
    return float(np.mean(np.maximum(ndtr(high - away) - ndtr(low + away), 0.0)))


def seeds_for(
    mean: float, sd: float, bounds: tuple[float, float], power: float, level: float = LEVEL
) -> int | None:
    """The fewest seeds with at least this power; none if MOST_SEEDS are not enough, as for a mean out of bounds."""
    if (
        not bounds[0] < mean < bounds[1]
        or power_between(MOST_SEEDS, mean, sd, bounds, level) < power
    ):
        return None
    too_few, enough = 1, MOST_SEEDS
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if power_between(middle, mean, sd, bounds, level) < power:
            too_few = middle
        else:
            enough = middle
    return enough
