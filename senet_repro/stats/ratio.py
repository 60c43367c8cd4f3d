"""A difference measured against a share of a gain, both with their uncertainty (stats floor).

Whether a difference d is small beside a gain g is a question about their ratio. Fieller's way (1954) to answer it is
without dividing: d lies within the share s of g where d - s g and -d - s g are both below 0. These contrasts are
themselves figures of each seed (and image), so their estimates hold the uncertainty of both and their correlation.
"""

from __future__ import annotations

from senet_repro.stats.estimates import Estimate, p_above, p_below


def p_within_share(above: Estimate, below: Estimate) -> float:
    """Return the p of a difference within a share of a gain on either side: the greater of two one-sided ones.

    `above` estimates d - s g and `below` -d - s g. Both below 0 also show that the gain is above 0. At the margin,
    d = s g, the test passes in at most 5 % of cases, as simulated.
    """
    return max(p_below(above), p_below(below))


def p_beyond_share(above: Estimate, below: Estimate, gain: Estimate) -> float:
    """Return the p of a difference beyond a share of a gain, on whichever side, where there is a gain at all.

    Where nothing is gained, every difference is beyond a share of it, which says nothing of the rows; so the gain has
    to be shown to be above 0, too.
    """
    either_side = min(1.0, 2 * min(p_above(above), p_above(below)))
    return max(either_side, p_above(gain))
