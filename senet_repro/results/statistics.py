"""Pure functions on small samples (results floor)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % interval."""

    n: int
    mean: float
    half_width: float | None  # Student-t; none for a single seed, which has no spread


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value and the half-width of its Student-t 95 % interval.

    A bootstrap of three seeds would cover 74 % instead of 95 %.
    """
    n = len(values)
    if n < 2:
        return Estimate(n, values[0], None)
    from scipy.special import stdtrit  # here alone, since importing it takes longer than a whole table

    quantile = float(stdtrit(n - 1, 0.975))
    return Estimate(n, statistics.fmean(values), quantile * statistics.stdev(values) / math.sqrt(n))
