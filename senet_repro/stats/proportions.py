"""Intervals of a share of images (stats floor)."""

from __future__ import annotations

INTERVAL_NAME = "Wilson score interval"


def find_wilson_interval(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of Wilson's score of a share, `count` of `total` at least one, as two shares.

    The images are a sample of all such images: the interval is of the network's error on those, and not of what other
    seeds would give. Unlike the exact one it covers 95 % on average and not at least, and so is not too wide.
    """
    # Late: scipy takes longer to import than a whole table.
    from scipy.stats import binomtest

    interval = binomtest(count, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)
