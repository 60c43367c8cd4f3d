"""Claims that no two of the rows differ by as much as matters (report floor).

What matters is a share of the gain of SE, measured on the same data and seeds: half a point is much where SE gains
0.3 and little where it gains 5. The share is tested with the uncertainty of the gain in it (a ratio test, as Fieller's
interval is): the difference d is within the share s of the gain g where both d - s g and -d - s g are below 0, each by
a paired t test of its values per seed. For a data set a margin in points may be fixed instead (TOST).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from senet_repro.report.claims.comparisons import AnyRow, Comparison, MetricClaim, Yardstick
from senet_repro.report.claims.pairs import Pair, find_row
from senet_repro.report.claims.words import CONTRADICTED, REPRODUCED
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.contrasts import Term, estimate_contrast
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    choose_value_spec,
    count_seeds,
    format_interval,
)
from senet_repro.report.tables.standing import Standing
from senet_repro.stats.estimates import Estimate, p_beyond, p_within
from senet_repro.stats.ratio import p_beyond_share, p_within_share


class Equivalent(MetricClaim):
    """Claim that no two of the rows differ by as much as matters."""

    @property
    def against_in_words(self) -> str:
        """Return how a difference that speaks against the claim is called."""
        return "beyond the margin"

    def pair_rows(self, rows: Sequence[AnyRow]) -> list[tuple[AnyRow, AnyRow]]:
        """Return each row with each other."""
        return list(combinations(rows, 2))

    def explain_obstacle(self, table: ResultTable) -> str | None:
        """Return why this table's data cannot decide the claim; None where they can."""
        data = table.example.protocol["data"]["name"]
        if self.claim.margin_share is None and data not in self.claim.margins:
            return f"It has a margin for {', '.join(self.claim.margins)} and none for {data}."
        return super().explain_obstacle(table)

    def compare(self, table: ResultTable, pair: Pair) -> Comparison | None:
        """Return the comparison of a pair; None where its rows, or those of the gain, have no seed in common."""
        margin = self.claim.margins.get(table.example.protocol["data"]["name"])
        if margin is not None:
            return self._compare_with_points(table, pair, margin)
        return self._compare_with_gain(table, pair)

    def grade_success(self, comparisons: Sequence[Comparison]) -> str:
        """Return that the claim is reproduced: within the margin is all that it says."""
        return REPRODUCED

    def describe_test(self, comparison: Comparison, verdict: str) -> str:
        """Return the name of the test whose p value is printed with a verdict."""
        if comparison.yardstick.gain is not None:
            within = f"{self.claim.margin_share:.3g} of the gain of SE"
        else:
            within = f"{comparison.yardstick.smallest_effect:g} {self.metric.difference_unit}"
        if verdict == CONTRADICTED:
            return f"Paired t for a difference beyond {within}"
        return f"TOST within {within}"

    def describe_yardstick(self, comparison: Comparison) -> str:
        """Return whether our interval holds the paper's difference, and how large the gain is that gives the margin."""
        published = self._compare_with_published(comparison)
        gain = comparison.yardstick.gain
        if gain is None:
            return published
        unit = self.metric.difference_unit
        # The sign is shown where the gain is none.
        measured = format_interval(gain, choose_difference_spec(self.metric))
        with_se, without = self.claim.gain
        sentence = (
            f"SE's gain on the same data and seeds, {with_se} against {without}: {measured} {unit}"
        )
        # The test is of the seeds that all of these rows have, which may be fewer than those of the pair.
        if gain.n != comparison.difference.n:
            sentence += f", and so the test, over {count_seeds(gain.n)}"
        if gain.mean <= (gain.half_width or 0.0):
            sentence += ", which may be nothing that a share could be taken of"
        return f"{published} {sentence}.".lstrip()

    def compare_figures(self, figures: Sequence[float]) -> float:
        """Return the paper's own difference: of two rows first less second, of more the widest."""
        # The widest difference decides whether all rows are within the margin; it has no sign.
        if len(figures) > 2:
            return max(figures) - min(figures)
        return figures[0] - figures[-1]

    def format_paper(self, difference: float | None) -> str:
        """Return the paper's own difference as it is printed."""
        if difference is None:
            return ""
        return f"{abs(difference):{choose_value_spec(self.metric)}} apart"

    def _compare_with_published(self, comparison: Comparison) -> str:
        """Return whether our 95 % interval holds the paper's difference; nothing where the paper has none."""
        difference = comparison.difference
        published_gain = comparison.yardstick.published_gain
        if published_gain is None or difference.half_width is None:
            return ""
        # A gain is of the first row over the second, so for an error it has the other sign than their difference.
        published = -published_gain if self.metric.better == "lower" else published_gain
        holds = abs(difference.mean - published) <= difference.half_width
        verb = "holds" if holds else "excludes"
        return f"Our interval {verb} the paper's {published:{choose_difference_spec(self.metric)}}."

    def _find_published_gain(self, table: ResultTable, pair: Pair) -> float | None:
        """Return by how much the first row is better in the paper; None on a proxy, whose points are others."""
        if table.standing == Standing.PROXY:
            return None
        return self.compare_published(pair.first, pair.second)

    def _compare_with_points(
        self, table: ResultTable, pair: Pair, margin: float
    ) -> Comparison | None:
        difference = pair.estimate_difference(self.metric)
        if difference is None:
            return None
        return _build_comparison(
            pair,
            difference,
            Yardstick(
                smallest_effect=margin,
                because="fixed for this data set",
                published_gain=self._find_published_gain(table, pair),
            ),
            p_holds=p_within(difference, margin),
            p_fails=p_beyond(difference, margin),
        )

    def _compare_with_gain(self, table: ResultTable, pair: Pair) -> Comparison | None:
        """Return the comparison by a share of SE's gain, tested on the seeds that all four rows have in common.

        The difference is that of the pair's own seeds, as a table shows it.
        """
        assert self.claim.margin_share is not None
        with_se, without = (find_row(table, name) for name in self.claim.gain)
        contrast = _Contrast(self, pair, Pair(with_se, without), self.claim.margin_share)
        difference = pair.estimate_difference(self.metric)
        gain = contrast.estimate(0.0, 1.0)
        if difference is None or gain is None:
            return None
        above, below = contrast.estimate(1.0, -1.0), contrast.estimate(-1.0, -1.0)
        assert above is not None
        assert below is not None
        margin = self.claim.margin_share * max(gain.mean, 0.0)
        return _build_comparison(
            pair,
            difference,
            Yardstick(
                smallest_effect=margin,
                because="a share of the gain of SE on this data",
                published_gain=self._find_published_gain(table, pair),
                gain=gain,
            ),
            p_holds=p_within_share(above, below),
            p_fails=p_beyond_share(above, below, gain),
        )


@dataclass(frozen=True)
class _Contrast:
    """Weighted sums of a pair's difference and of the margin, which is a share of a gain."""

    claim: Equivalent
    pair: Pair
    gain: Pair  # the row with SE and the one without
    share: float

    def estimate(self, of_difference: float, of_gain: float) -> Estimate | None:
        """Return the estimate of the weighted sum, over the seeds that all rows have; the gain alone is in points."""
        weight = of_gain
        # Alone it is printed, and beside a difference it is the margin.
        if of_difference:
            weight *= self.share
        if self.claim.metric.better == "lower":
            weight = -weight
        terms = [
            Term(of_difference, self.pair.first.list_runs(self.claim.metric)),
            Term(-of_difference, self.pair.second.list_runs(self.claim.metric)),
            Term(weight, self.gain.first.list_runs(self.claim.metric)),
            Term(-weight, self.gain.second.list_runs(self.claim.metric)),
        ]
        seeds = sorted(set(self.pair.shared_seeds) & set(self.gain.shared_seeds))
        return estimate_contrast(terms, self.claim.metric, seeds)


def _build_comparison(
    pair: Pair, difference: Estimate, yardstick: Yardstick, p_holds: float, p_fails: float
) -> Comparison:
    assert yardstick.smallest_effect is not None
    margin = yardstick.smallest_effect
    infinity = float("inf")
    return Comparison(
        pair=pair,
        difference=difference,
        yardstick=yardstick,
        p_holds=p_holds,
        p_fails=p_fails,
        region_for=(-margin, margin),
        regions_against=[(-infinity, -margin), (margin, infinity)],
    )
