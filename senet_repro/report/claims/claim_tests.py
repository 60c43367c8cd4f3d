"""The one-sided tests that a claim consists of, for planning its seeds (report floor)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from senet_repro.report.claims.comparisons import Comparison, MetricClaim, Region
from senet_repro.report.claims.equivalent import Equivalent
from senet_repro.report.claims.rivals import Rivals
from senet_repro.stats.estimates import Estimate
from senet_repro.stats.power import OneSidedTest


def list_tests_for(kind: MetricClaim, comparisons: Sequence[Comparison]) -> list[OneSidedTest]:
    """Return the tests that all have to be passed to bear a claim out: two for each pair of an equivalence."""
    tests = []
    for comparison in comparisons:
        tests += _list_tests(kind, comparison, comparison.region_for)
    return tests


def list_tests_against(kind: MetricClaim, comparisons: Sequence[Comparison]) -> list[OneSidedTest]:
    """Return the tests of which any contradicts a claim: one for each pair, on each side of its region."""
    tests = []
    for comparison in comparisons:
        for region in comparison.regions_against:
            tests += _list_tests(kind, comparison, region)
    return tests


def list_tests_of_nothing(kind: MetricClaim, comparison: Comparison) -> list[OneSidedTest]:
    """Return the two tests that show a pair's gain to be too small to matter; none where nothing says what matters."""
    least = comparison.yardstick.smallest_effect
    if least is None or comparison.p_nothing is None:
        return []
    return _list_tests(kind, comparison, (-least, least))


def suppose_tests(kind: MetricClaim, effect: float, sd: float) -> list[OneSidedTest]:
    """Return the tests that bear a claim out, were every gain the supposed one, and rows within a margin alike.

    The standard deviation is that of a difference of two rows over seeds. The margin of an equivalence is its share of
    the supposed gain, or the least of those that are fixed in points.
    """
    tests = []
    for pair in kind.pair_rows(kind.claim.rows):
        margin = effect
        signs = [1.0]
        if isinstance(kind, Equivalent | Rivals):
            margin = _suppose_margin(kind, effect)
        if isinstance(kind, Equivalent):
            signs = [1.0, -1.0]
        for sign in signs:
            difference = _weigh_pair(kind, pair, sign)
            # Of two rows that the paper cites nothing is trained.
            if difference:
                weights = _add_margin(kind, difference, -1.0)
                spread = sd * _find_norm(weights) / _find_norm(difference)
                tests.append(OneSidedTest(weights=weights, distance=margin, sd=spread))
    return tests


def _suppose_margin(kind: Equivalent | Rivals, effect: float) -> float:
    """Return how far from failing rows are supposed to be: by a share of SE's gain, or by the least margin in points.

    Of rivals without a margin the first is supposed to be better by the effect.
    """
    share = kind.claim.margin_share
    if share is not None:
        return share * effect
    # Such a claim has its margins in points, one for each data set.
    least = min(kind.claim.margins.values())
    return least or effect


def _list_tests(kind: MetricClaim, comparison: Comparison, region: Region) -> list[OneSidedTest]:
    """Return a test for each finite bound of a region: that the pair's difference lies on its side of it."""
    first, second = comparison.pair.first, comparison.pair.second
    mean = comparison.difference.mean
    low, high = region
    # A region that is bounded on both sides lies within a margin; another lies beyond one, if there is any.
    is_within = math.isfinite(low) and math.isfinite(high)
    sign_of_margin = 1.0
    if is_within:
        sign_of_margin = -1.0
    tests = []
    for bound, sign in ((high, 1.0), (low, -1.0)):
        if math.isfinite(bound):
            difference = _weigh_pair(kind, (first.name, second.name), sign)
            weights = difference
            if comparison.yardstick.gain is not None:
                weights = _add_margin(kind, difference, sign_of_margin)
            scale = _find_norm(weights) / _find_norm(difference)
            distance = sign * (bound - mean)
            test = _scale_test(comparison.difference, weights, distance, scale)
            tests.append(test)
    return tests


def _scale_test(
    difference: Estimate, weights: Mapping[str, float], distance: float, scale: float
) -> OneSidedTest:
    """Return a test of a weighted sum of rows that varies so many times as much as a difference."""
    # Two seeds have a standard deviation.
    assert difference.sd is not None
    assert difference.standard_error is not None
    over_images = 0.0
    if difference.images is not None:
        variance = difference.standard_error**2
        over_seeds = difference.sd**2 / difference.n
        # Images that add nothing may seem, by rounding, to take something away.
        over_images = max(0.0, variance - over_seeds)
    return OneSidedTest(
        weights=weights,
        distance=distance,
        sd=scale * difference.sd,
        images_error=scale * math.sqrt(over_images),
        seeds=difference.n,
    )


def _weigh_pair(kind: MetricClaim, pair: tuple[str, str], sign: float) -> Mapping[str, float]:
    """Return the weights of a pair's rows; none of a row that the paper cites, whose figure no seed changes."""
    weights = {}
    for name, weight in zip(pair, (sign, -sign), strict=True):
        row = {**kind.paper.beside, **kind.paper.rows}[name]
        if row.axes is not None:
            weights[name] = weight
    return weights


def _add_margin(
    kind: MetricClaim, difference: Mapping[str, float], sign: float
) -> Mapping[str, float]:
    """Return the weights of a difference and, for a margin that is a share of SE's gain, those of the margin."""
    share = kind.claim.margin_share
    if share is None:
        return difference
    with_se, without = kind.claim.gain
    # A gain is the figure without SE less the one with it where lower is better.
    weight = -sign * share
    if kind.metric.better == "higher":
        weight = -weight
    total = dict(difference)
    for name, of_margin in ((with_se, weight), (without, -weight)):
        total[name] = total.get(name, 0.0) + of_margin
    return total


def _find_norm(weights: Mapping[str, float]) -> float:
    return math.hypot(*weights.values())
