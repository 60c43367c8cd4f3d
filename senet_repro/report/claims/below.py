"""Claims that a row surpasses a figure published elsewhere, which nothing is trained for here (report floor).

The figure is a constant, taken as exact: a one-sided t test over our seeds alone, of one sample, shows on which side of
it the row lies. It was measured on the paper's own data, so that other data or another protocol cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from senet_repro.report.claims.comparisons import AnyRow, Comparison, MetricClaim, Yardstick
from senet_repro.report.claims.pairs import Pair
from senet_repro.report.claims.words import CONTRADICTED, REPRODUCED
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import choose_value_spec
from senet_repro.report.tables.standing import Standing
from senet_repro.stats.estimates import p_above, p_below


class Below(MetricClaim):
    """Claim that the first row is better than the published figure of the second, which is only cited."""

    @property
    def against_in_words(self) -> str:
        """Return how a difference that speaks against the claim is called."""
        return "on the other side of the published figure"

    def pair_rows(self, rows: Sequence[AnyRow]) -> list[tuple[AnyRow, AnyRow]]:
        """Return the row and the one that is cited."""
        first, second = rows
        return [(first, second)]

    def explain_obstacle(self, table: ResultTable) -> str | None:
        """Return why a published figure is none to compare with; None on the paper's own data, by its protocol."""
        if table.standing == Standing.PAPERS_OWN:
            return super().explain_obstacle(table)
        departures = ", ".join(table.departures) or table.set_name
        return (
            f"{self.claim.rows[1]} has a figure on the paper's own data alone, and nothing is trained for it here: "
            f"ours is {table.standing} ({departures})."
        )

    def compare(self, table: ResultTable, pair: Pair) -> Comparison | None:
        """Return the comparison of our seeds with the figure; None where either is missing."""
        difference = pair.estimate_difference(self.metric)
        if difference is None:
            return None
        gain = self.turn_into_gain(difference)
        better, worse = (-math.inf, 0.0), (0.0, math.inf)
        if self.metric.better == "higher":
            better, worse = worse, better
        return Comparison(
            pair=pair,
            difference=difference,
            yardstick=Yardstick(
                smallest_effect=0.0,
                because="the published figure is the border",
                published_gain=self.compare_published(pair.first, pair.second),
            ),
            p_holds=p_above(gain),
            p_fails=p_below(gain),
            region_for=better,
            regions_against=[worse],
        )

    def grade_success(self, comparisons: Sequence[Comparison]) -> str:
        """Return that the claim is reproduced: to lie on that side is all that it says."""
        return REPRODUCED

    def describe_test(self, comparison: Comparison, verdict: str) -> str:
        """Return the name of the test whose p value is printed with a verdict."""
        side = " for the other side" if verdict == CONTRADICTED else ""
        return f"One-sided t of our seeds against the published figure{side}"

    def describe_yardstick(self, comparison: Comparison) -> str:
        """Return the published figure, and how far the paper's own row is from it."""
        published = comparison.pair.second.paper.published(self.metric.name)
        # A cited row without the figure has no comparison.
        assert published is not None
        figure = f"{published:{choose_value_spec(self.metric)}} {self.metric.unit_sign}"
        sentence = f"The border is {figure}"
        theirs = comparison.yardstick.published_gain
        if theirs is None:
            return f"{sentence}."
        sign = -1 if self.metric.better == "lower" else 1
        return f"{sentence}, and the paper's difference to it {self.format_paper(sign * theirs)}."
