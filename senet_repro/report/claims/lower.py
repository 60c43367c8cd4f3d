"""Claims that each row has a better figure than the next; for an error, a lower one (report floor).

A gain is how much better the first row of a pair is, in points. The claim is *there* where a one-sided paired t test
shows a gain above 0. It is then reproduced, unless the 95 % interval of the gain lies below half of the published one:
such a gain is smaller than published. Where both one-sided tests show that the gain lies within the smallest effect of
interest on either side of 0 (TOST), there is no effect, which is a finding and not a lack of seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from senet_repro.report.claims.comparisons import AnyRow, Comparison, MetricClaim, Yardstick
from senet_repro.report.claims.pairs import Pair
from senet_repro.report.claims.words import CONTRADICTED, NO_EFFECT, REPRODUCED, SMALLER
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import choose_difference_spec, start_sentence
from senet_repro.report.tables.standing import Standing
from senet_repro.stats.estimates import p_above, p_below, p_within

SHARE_THAT_MATTERS = 1 / 3
"""The share of a published gain that matters, where a claim names no smallest effect of its own."""

SHARE_THAT_REPRODUCES = 1 / 2
"""The share of a published gain below which an interval is of a smaller one."""


class Lower(MetricClaim):
    """Claim that each row has a better figure than the next."""

    @property
    def against_in_words(self) -> str:
        """Return how a difference that speaks against the claim is called."""
        return "the other way"

    def pair_rows(self, rows: Sequence[AnyRow]) -> list[tuple[AnyRow, AnyRow]]:
        """Return each row with the next."""
        return list(pairwise(rows))

    def compare(self, table: ResultTable, pair: Pair) -> Comparison | None:
        """Return the comparison of a pair; None where its rows have no seed in common."""
        difference = pair.estimate_difference(self.metric)
        if difference is None:
            return None
        yardstick = self._choose_yardstick(table, pair)
        gain = self.turn_into_gain(difference)
        least = yardstick.smallest_effect
        better, worse = (-math.inf, 0.0), (0.0, math.inf)
        if self.metric.better == "higher":
            better, worse = worse, better
        return Comparison(
            pair=pair,
            difference=difference,
            yardstick=yardstick,
            p_holds=p_above(gain),
            p_fails=p_below(gain),
            p_nothing=None if least is None else p_within(gain, least),
            region_for=better,
            regions_against=[worse],
        )

    def grade_success(self, comparisons: Sequence[Comparison]) -> str:
        """Return whether gains that are there are as large as the paper's, or smaller, or too small to matter."""
        if any(self._lies_below_published(each) for each in comparisons):
            return SMALLER
        # Only where the paper's gain is no yardstick: a third of it is less than its half.
        if any(self._lies_below_smallest(each) for each in comparisons):
            return NO_EFFECT
        return REPRODUCED

    def describe_test(self, comparison: Comparison, verdict: str) -> str:
        """Return the name of the test whose p value is printed with a verdict."""
        if verdict == NO_EFFECT and comparison.p_nothing is not None:
            least = comparison.yardstick.smallest_effect
            assert least is not None
            return f"TOST within ± {self.metric.describe_difference(least)}"
        return f"One-sided paired t{' for the opposite' if verdict == CONTRADICTED else ''}"

    def describe_yardstick(self, comparison: Comparison) -> str:
        """Return which gain matters, and whether our interval holds the paper's."""
        yardstick = comparison.yardstick
        sentences = []
        if yardstick.published_gain is not None and comparison.difference.half_width is not None:
            sentences.append(self._compare_with_published(comparison, yardstick.published_gain))
        if yardstick.smallest_effect is None:
            reason = start_sentence(yardstick.because)
            sentences.append(f"{reason}, so the claim is tested against 0 alone.")
        else:
            least = self.metric.describe_difference(yardstick.smallest_effect)
            sentence = f"The least gain that matters is {least}, {yardstick.because}"
            if self._is_near_nothing(comparison):
                sentence += "; our whole interval lies nearer to 0"
            sentences.append(f"{sentence}.")
        return " ".join(sentences)

    def _choose_yardstick(self, table: ResultTable, pair: Pair) -> Yardstick:
        """Return the gain that matters: on a proxy the plan's, else the claim's own or a share of the paper's."""
        if table.standing == Standing.PROXY:
            return _read_planned_yardstick(table, self.claim.says)
        published = self.compare_published(pair.first, pair.second)
        # A figure that speaks against the claim measures nothing.
        if published is not None and published <= 0:
            published = None
        if self.claim.smallest_effect is not None:
            least, because = self.claim.smallest_effect, "fixed with the claim"
        elif published is not None:
            least, because = SHARE_THAT_MATTERS * published, "a third of the paper's"
        else:
            return Yardstick(smallest_effect=None, because="nothing says how small a gain matters")
        return Yardstick(smallest_effect=least, because=because, published_gain=published)

    def _find_greatest_gain(self, comparison: Comparison) -> float:
        """Return the upper end of the 95 % interval of a gain."""
        gain = self.turn_into_gain(comparison.difference)
        return gain.mean + (gain.half_width or 0.0)

    def _lies_below_published(self, comparison: Comparison) -> bool:
        published = comparison.yardstick.published_gain
        if published is None:
            return False
        return self._find_greatest_gain(comparison) < SHARE_THAT_REPRODUCES * published

    def _is_near_nothing(self, comparison: Comparison) -> bool:
        """Return whether the whole interval of a gain is nearer to 0 than the least that matters, on either side."""
        gain = self.turn_into_gain(comparison.difference)
        least = comparison.yardstick.smallest_effect
        if gain.half_width is None or least is None:
            return False
        return abs(gain.mean) + gain.half_width < least

    def _lies_below_smallest(self, comparison: Comparison) -> bool:
        least = comparison.yardstick.smallest_effect
        return least is not None and self._find_greatest_gain(comparison) < least

    def _compare_with_published(self, comparison: Comparison, published: float) -> str:
        """Return whether our 95 % interval holds the paper's difference, half of it, and 0."""
        gain = self.turn_into_gain(comparison.difference)
        assert gain.half_width is not None
        sign = -1 if self.metric.better == "lower" else 1
        spec = choose_difference_spec(self.metric)
        theirs = f"the paper's {sign * published:{spec}}"
        if abs(gain.mean - published) <= gain.half_width:
            # Who reads that it holds the paper's figure may take that for a success.
            also = " and 0" if abs(gain.mean) <= gain.half_width else ""
            return f"Our interval holds {theirs}{also}."
        if self._lies_below_published(comparison):
            half = f"{sign * SHARE_THAT_REPRODUCES * published:{spec}}"
            return f"Our interval excludes {theirs}, and even half of it, {half}."
        size = "larger" if gain.mean > published else "smaller"
        return f"Our interval excludes {theirs}: our gain is {size}."


def _read_planned_yardstick(table: ResultTable, says: str) -> Yardstick:
    """Return the smallest effect that the campaign's plan names for a claim: the paper's points are of other data."""
    planned = table.find_smallest_effect(says)
    if planned is None:
        because = "no plan says how small a gain matters on this proxy"
        return Yardstick(smallest_effect=None, because=because)
    because = f"as planned for this proxy: {planned.because.rstrip('.')}"
    return Yardstick(smallest_effect=planned.points, because=because)
