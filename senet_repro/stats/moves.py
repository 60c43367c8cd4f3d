"""How far figures move when runs are trained a second time, and whether that is more than chance (stats floor)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev, variance

from senet_repro.stats.estimates import Estimate, build_estimate, p_beyond


@dataclass(frozen=True)
class Noise:
    """How far runs lie apart that differ in their seed alone, from several rows together."""

    sd: float  # of single runs around the mean of their row
    degrees: int  # of freedom that it counts with
    rows: int  # with two runs at least


def pool_spreads(rows: Sequence[Sequence[float]]) -> Noise | None:
    """Return the standard deviation within rows, each a figure of several seeds; None where no row has two.

    It is to serve rows that are not among them, and rows need not spread alike. So it counts with no more degrees of
    freedom than there are rows: each row is one example of how far seeds may spread, however many seeds it has.
    """
    squares = 0.0
    degrees = 0
    several = [values for values in rows if len(values) > 1]
    for values in several:
        degrees += len(values) - 1
        squares += (len(values) - 1) * variance(values)
    if not several:
        return None
    count = len(several)
    return Noise(math.sqrt(squares / degrees), min(count, degrees), count)


def estimate_single_move(
    move: float, noise: Noise, own: Sequence[float], least_sd: float = 0.0
) -> Estimate:
    """Return the difference of two runs of one seed, with the uncertainty that the noise of other rows gives it.

    The two are taken to have nothing in common but their settings: each varies as another seed would, and their
    difference by the root of two times that. `own` are figures of the row's own seeds on one side; where they are
    several and spread farther than the noise, their spread is taken. `least_sd` is that of `least_sd_pct`.

    Simulated, with 6 to 18 rows of which nothing has changed, some is told to have moved in 0 to 4 % of cases, also
    where the rows' standard deviations themselves spread by a quarter. Where these spread by half, that is so for rows
    with seeds of their own; of 12 rows that have none, some is told to have moved in 10 %.
    """
    run_sd = noise.sd
    if len(own) > 1:
        run_sd = max(run_sd, stdev(own))
    sd = max(math.sqrt(2) * run_sd, least_sd)
    return build_estimate(1, move, sd, sd, noise.degrees)


def p_moved(difference: Estimate) -> float:
    """Return the two-sided p of a mean difference that is not 0; 1 for a single value of which no noise is known."""
    # Figures that all moved alike leave no spread to divide by: the limit of t is 0 or infinite.
    if difference.standard_error == 0:
        return float(difference.mean == 0)
    return p_beyond(difference, 0.0)


def find_rms(moves: Sequence[float]) -> float:
    """Return the root mean square of at least one move."""
    return math.sqrt(fmean(move**2 for move in moves))
