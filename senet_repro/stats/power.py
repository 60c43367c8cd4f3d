"""How many seeds a test needs, were the true mean and standard deviation those observed (stats floor)."""

from __future__ import annotations

import math

from senet_repro.stats.estimates import LEVEL

MOST_SEEDS = 1000
"""Beyond this nobody trains; the answer is that more seeds are no way."""

# Equal shares of the distribution of the standard deviation that the power is averaged over.
_SHARES = 2000


def power_between(
    n: int, mean: float, sd: float, bounds: tuple[float, float], level: float = LEVEL
) -> float:
    """Return how often n values show their mean between two bounds, each held by a one-sided t test at `level`.

    One bound at infinity makes it the t test of the other, whose power is that of the noncentral t; two make it TOST.
    The mean is normal and independent of the standard deviation of the values, so the power is its chance to be far
    enough from both bounds, averaged over equal shares of the distribution of that standard deviation.
    """
    import numpy as np
    from scipy.special import chdtri, ndtr, stdtrit

    # The middle of each share, and the observed standard deviation there, in units of the true one.
    middles = (np.arange(_SHARES) + 0.5) / _SHARES
    observed_sd = np.sqrt(chdtri(n - 1, middles) / (n - 1))
    # How far from a bound the mean must be to pass its test, and where the bounds lie, in true standard errors.
    needed = float(stdtrit(n - 1, 1 - level)) * observed_sd
    low = (bounds[0] - mean) * math.sqrt(n) / sd
    high = (bounds[1] - mean) * math.sqrt(n) / sd
    chances = ndtr(high - needed) - ndtr(low + needed)
    # A standard deviation so large that no mean passes both tests has a negative difference.
    return float(np.mean(np.maximum(chances, 0.0)))


def count_seeds_needed(
    mean: float, sd: float, bounds: tuple[float, float], power: float, level: float = LEVEL
) -> int | None:
    """Return the fewest seeds with at least this power.

    None is returned if MOST_SEEDS are not enough, as for a mean out of bounds.
    """
    low, high = bounds
    if not low < mean < high:
        return None
    if power_between(MOST_SEEDS, mean, sd, bounds, level) < power:
        return None
    # The power grows with the number of seeds, so the fewest are found by halving.
    too_few, enough = 1, MOST_SEEDS
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if power_between(middle, mean, sd, bounds, level) < power:
            too_few = middle
        else:
            enough = middle
    return enough
