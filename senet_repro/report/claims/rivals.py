"""Claims that a row is as good as a costlier one, judged from errors and sizes together (report floor).

The first row's figure is worse than the second's by no more than a margin, which a one-sided t test shows, paired by
seed (non-inferiority); a margin of 0 claims that it is better. Its multiply-adds are at most a share of the other's,
which are counted: where they are more, no error makes up for it, and the claim is contradicted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from senet_repro.report.claims.comparisons import AnyRow, Comparison, MetricClaim, Yardstick
from senet_repro.report.claims.cost import SIZES
from senet_repro.report.claims.evidence import explain_cost_obstacle
from senet_repro.report.claims.pairs import Pair, find_rows
from senet_repro.report.claims.words import CONTRADICTED, REPRODUCED
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.stats.estimates import p_above, p_below

COUNTED = SIZES["gflops"]


class Rivals(MetricClaim):
    """Claim that the first row does what the second does, for a share of its multiply-adds."""

    @property
    def most_share(self) -> float:
        """Return the share of the second row's multiply-adds that the first may have at most."""
        assert self.claim.most_share is not None
        return self.claim.most_share

    @property
    def against_in_words(self) -> str:
        """Return how a difference that speaks against the claim is called."""
        return "worse by more than the margin"

    def pair_rows(self, rows: Sequence[AnyRow]) -> list[tuple[AnyRow, AnyRow]]:
        """Return the two rows."""
        first, second = rows
        return [(first, second)]

    def explain_obstacle(self, table: ResultTable) -> str | None:
        """Return why this table's data or networks cannot decide the claim; None where they can."""
        data = table.example.protocol["data"]["name"]
        if data not in self.claim.margins:
            return f"It has a margin for {', '.join(self.claim.margins)} and none for {data}."
        rows = find_rows(table, self.claim)
        for row in rows:
            if COUNTED.count(row) is None:
                return f"The {COUNTED.title} of {row.name} were not counted."
        return explain_cost_obstacle(table, rows) or super().explain_obstacle(table)

    def compare(self, table: ResultTable, pair: Pair) -> Comparison | None:
        """Return the comparison of the pair; None where its rows have no seed in common."""
        difference = pair.estimate_difference(self.metric)
        if difference is None:
            return None
        margin = self.claim.margins[table.example.protocol["data"]["name"]]
        gain = self.turn_into_gain(difference)
        p_holds, p_fails = p_above(gain, -margin), p_below(gain, -margin)
        # Chance has no part in a count.
        if self.find_share(pair) > self.most_share:
            p_holds, p_fails = 1.0, 0.0
        region, against = (-math.inf, margin), (margin, math.inf)
        if self.metric.better == "higher":
            region, against = (-margin, math.inf), (-math.inf, -margin)
        return Comparison(
            pair=pair,
            difference=difference,
            yardstick=Yardstick(
                smallest_effect=margin,
                because="fixed for this data set",
                published_gain=self.compare_published(pair.first, pair.second),
            ),
            p_holds=p_holds,
            p_fails=p_fails,
            region_for=region,
            regions_against=[against],
        )

    def find_share(self, pair: Pair) -> float:
        """Return the first row's multiply-adds as a share of the second's."""
        return _count_macs(pair.first) / _count_macs(pair.second)

    def grade_success(self, comparisons: Sequence[Comparison]) -> str:
        """Return that the claim is reproduced: no worse for so much less is all that it says."""
        return REPRODUCED

    def describe_test(self, comparison: Comparison, verdict: str) -> str:
        """Return the name of the test whose p value is printed with a verdict."""
        margin = comparison.yardstick.smallest_effect
        within = f"worse by {margin:g} {self.metric.difference_unit}"
        if self.find_share(comparison.pair) > self.most_share:
            return "Decided by the count"
        if verdict == CONTRADICTED:
            return f"One-sided paired t for more than {within}"
        return f"One-sided paired t for less than {within}"

    def describe_yardstick(self, comparison: Comparison) -> str:
        """Return the two counts beside the share that is claimed, and the paper's difference."""
        pair = comparison.pair
        share = self.find_share(pair)
        counted = (
            f"{_count_macs(pair.first):,} of {_count_macs(pair.second):,} {COUNTED.title}, {100 * share:.1f} %, "
            f"and at most {100 * self.most_share:g} % are claimed."
        )
        published = comparison.yardstick.published_gain
        if published is None:
            return counted
        sign = -1 if self.metric.better == "lower" else 1
        return f"{counted} The paper's difference is {self.format_paper(sign * published)}."


def _count_macs(row: ResultRow) -> int:
    macs = COUNTED.count(row)
    # A claim about rows that were not counted is not testable.
    assert macs is not None
    return macs
