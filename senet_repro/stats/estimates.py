"""Means of small samples, and tests of them (stats floor).

scipy is imported where it is used, since importing it takes longer than a whole table.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

LEVEL = 0.05
"""The level of every test: how often a claim of a table that does not hold may be called reproduced."""

# Of a two-sided 95 % interval.
_UPPER_QUANTILE = 0.975


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % interval.

    All but the number and the mean are None for a single seed, which does not tell how far seeds differ.
    """

    n: int  # of seeds
    mean: float
    half_width: float | None = None  # of the Student-t interval
    sd: float | None = None  # of the seeds' values, with n - 1 below
    standard_error: float | None = None  # of the mean
    # Of freedom, of the standard error; not whole where variances were added.
    degrees: float | None = None
    images: int | None = (
        None  # that the interval goes over beside the seeds; None: over seeds alone
    )


def build_estimate(
    n: int, mean: float, sd: float, standard_error: float, degrees: float
) -> Estimate:
    """Return the estimate of a mean over at least two seeds whose standard error is known."""
    from scipy.special import stdtrit

    half_width = float(stdtrit(degrees, _UPPER_QUANTILE)) * standard_error
    return Estimate(n, mean, half_width, sd, standard_error, degrees)


def estimate_mean(values: Sequence[float], least_sd: float = 0.0) -> Estimate:
    """Return the mean of at least one value, its standard deviation and half its Student-t 95 % interval.

    A bootstrap of three seeds would cover 74 % instead of 95 %. Where the values happen to lie closer together,
    `least_sd` is taken for their standard deviation, see `least_sd_pct`.
    """
    n = len(values)
    if n < 2:
        return Estimate(n, values[0])
    sd = max(statistics.stdev(values), least_sd)
    return build_estimate(n, statistics.fmean(values), sd, sd / math.sqrt(n), n - 1)


def least_sd_pct(images: int) -> float:
    """Return the least standard deviation that a difference of two errors is credited with, in percent points.

    Errors over so many images come in steps of one image. On a few hundred images three seeds can agree in their
    difference by chance, and a t test would call that certain (p = 0). With one step as the least standard deviation,
    differences that are counts of images keep the level whatever the true one, as the tests show; with the variance of
    rounding (a step / sqrt(6)) they exceed it. On ImageNet a step is 0.002 points and decides nothing.
    """
    return 100 / images


def p_below(difference: Estimate, bound: float = 0.0) -> float:
    """Return the one-sided p of Student's t for a mean below `bound`.

    It is 1 for a single value, and for values that are all alike: neither tells how far values differ.
    """
    if not difference.standard_error or difference.degrees is None:
        return 1.0
    from scipy.special import stdtr

    t = (difference.mean - bound) / difference.standard_error
    return float(stdtr(difference.degrees, t))


def p_above(difference: Estimate, bound: float = 0.0) -> float:
    """Return the one-sided p of a mean above `bound`, as `p_below` does for one below."""
    return p_below(replace(difference, mean=-difference.mean), -bound)


def p_within(difference: Estimate, margin: float) -> float:
    """Return the p of a mean between -margin and margin: the greater of two one-sided ones (TOST)."""
    return max(p_below(difference, margin), p_above(difference, -margin))


def p_beyond(difference: Estimate, margin: float) -> float:
    """Return the p of a mean outside of -margin to margin: twice the lesser one-sided p, since either side would do."""
    lesser = min(p_above(difference, margin), p_below(difference, -margin))
    return min(1.0, 2 * lesser)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values adjusted by Holm, in their order.

    If every claim whose adjusted p is at most LEVEL is accepted, then any of them is wrong in at most LEVEL of the
    cases, all claims taken together.
    """
    count = len(p_values)
    by_size = sorted(range(count), key=lambda index: p_values[index])
    adjusted = [1.0] * count
    # No claim may be adjusted to less than one whose own p is smaller.
    reached = 0.0
    for rank, index in enumerate(by_size):
        reached = max(reached, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = reached
    return adjusted
