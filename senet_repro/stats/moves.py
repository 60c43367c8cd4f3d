"""How far figures move when runs are trained a second time, and whether that is more than chance (stats floor)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from senet_repro.stats.estimates import Estimate, build_estimate, p_beyond


@dataclass(frozen=True)
class Noise:
    """How far runs lie apart that differ in their seed alone, from several rows together."""

    sd: float  # of single runs around the mean of their row
    degrees: int  # of freedom: the runs less the rows
    rows: int  # with two runs at least


def pool_spreads(rows: Sequence[Sequence[float]]) -> Noise | None:
    """Return the standard deviation within rows, each a figure of several seeds; None where no row has two.

    Rows are taken to spread alike. Where they do not, a row that spreads more than most is called different too often.
    """
    squares = 0.0
    degrees = 0
    several = [values for values in rows if len(values) > 1]
    for values in several:
        mean = fmean(values)
        squares += sum((value - mean) ** 2 for value in values)
        degrees += len(values) - 1
    if not degrees:
        return None
    return Noise(math.sqrt(squares / degrees), degrees, len(several))


def estimate_single_move(move: float, noise: Noise, least_sd: float = 0.0) -> Estimate:
    """Return the difference of two runs of one seed, with the uncertainty that the noise of other rows gives it.

    The two are taken to have nothing in common but their settings: each varies as another seed would, and their
    difference by the root of two times that. `least_sd` is that of `least_sd_pct`.
    """
    sd = max(math.sqrt(2) * noise.sd, least_sd)
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
