"""Pure functions on small samples (results floor).

scipy is imported where it is used, since importing it takes longer than a whole table.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.05
"""Of every test: how often a claim that does not hold may be called reproduced, over all claims of a table."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % interval."""

    n: int
    mean: float
    half_width: float | None  # Student-t; none for a single seed, which has no spread
    sd: float | None = None  # of the values, with n - 1 below; none for a single seed

    @property
    def standard_error(self) -> float:
        """Of the mean. There are at least two values."""
        assert self.sd is not None
        return self.sd / math.sqrt(self.n)


def estimate(values: Sequence[float], least_sd: float = 0.0) -> Estimate:
    """The mean of at least one value, its standard deviation and the half-width of its Student-t 95 % interval.

    A bootstrap of three seeds would cover 74 % instead of 95 %. `least_sd` is what the standard deviation is taken to
    be where the values happen to lie closer together, see `least_sd_pct`.
    """
    n = len(values)
    if n < 2:
        return Estimate(n, values[0], None)
    from scipy.special import stdtrit

    sd = max(statistics.stdev(values), least_sd)
    return Estimate(
        n, statistics.fmean(values), float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n), sd
    )


def least_sd_pct(images: int) -> float:
    """The least spread that a difference of two errors over so many images is credited with, in percent points.

    Errors come in steps of one image. On a few hundred images three seeds can agree in their difference by chance, and
    a t test would call that certain (p = 0). With one step as the least spread, differences that are counts of images
    keep the level whatever the true spread, as the tests show; with the variance of rounding (a step / sqrt(6)) they
    exceed it. On ImageNet a step is 0.002 points and decides nothing.
    """
    return 100 / images


def p_below(difference: Estimate, bound: float = 0.0) -> float:
    """One-sided p of Student's t for a mean below `bound`; 1 for a single value, which is no evidence."""
    if difference.n < 2:
        return 1.0
    from scipy.special import stdtr

    return float(stdtr(difference.n - 1, (difference.mean - bound) / difference.standard_error))


def p_above(difference: Estimate, bound: float = 0.0) -> float:
    """As `p_below`, for a mean above `bound`."""
    mirrored = Estimate(difference.n, -difference.mean, difference.half_width, difference.sd)
    return p_below(mirrored, -bound)


def p_within(difference: Estimate, margin: float) -> float:
    """TOST: the p of a mean between -margin and margin, the greater of two one-sided ones."""
    return max(p_below(difference, margin), p_above(difference, -margin))


def p_beyond(difference: Estimate, margin: float) -> float:
    """The p of a mean outside of -margin to margin: twice the lesser one-sided p, since either side would do."""
    return min(1.0, 2 * min(p_above(difference, margin), p_below(difference, -margin)))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values adjusted by Holm: those at most LEVEL are wrong together, in any one of them, at most at LEVEL."""
    adjusted = [1.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = reached
    return adjusted
