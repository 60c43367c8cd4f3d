"""One answer over several networks (stats floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.stats.estimates import Estimate, estimate_mean


@dataclass(frozen=True)
class Pooled:
    """The mean difference over networks, and how many of them have one below 0."""

    difference: Estimate  # its n are networks, and its sd is over them
    below: int  # networks whose difference is below 0
    p_sign: float  # one-sided, of so many or more, were either sign as likely


def pool_differences(estimates: Sequence[Estimate]) -> Pooled | None:
    """Return the answer of at least two networks together; None for fewer.

    The networks are a sample, too (random effects): how far they differ says how far another one would. Each counts
    alike, and the mean of their means is tested by Student's t over networks, in whose spread the uncertainty of each
    is contained. That holds whatever the number of seeds or their spread is, unlike weights by estimated variances,
    which few seeds tell badly. The sign test asks less: whether more networks gain than a coin would have it (Demsar,
    2006). Networks that were scored on the same images may err alike on them, which neither test can see.
    """
    from scipy.special import bdtr

    if len(estimates) < 2:
        return None
    means = [estimate.mean for estimate in estimates]
    below = sum(mean < 0 for mean in means)
    # A difference of 0 has no sign.
    signed = sum(mean != 0 for mean in means)
    p_sign = 1.0
    if signed:
        p_sign = float(bdtr(signed - below, signed, 0.5))
    return Pooled(estimate_mean(means), below, p_sign)
