"""The three kinds of claims: lower and equivalent compare a metric of rows, cost their sizes (report floor)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from senet_repro.config.schema import Claim, PaperTable
from senet_repro.core.choice import require_choice
from senet_repro.report.tables.build import ResultRow, list_table_metrics
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    choose_value_spec,
    format_interval,
)
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import Estimate, p_above, p_below, p_beyond, p_within

RowPair = tuple[ResultRow, ResultRow]

Region = tuple[float, float]
"""Two bounds between which a difference lies, either of which may be infinite."""


@dataclass(frozen=True)
class Size:
    """A size of a network, counted on ours and published by the paper."""

    title: str
    count: Callable[[ResultRow], int | None]


SIZES = {
    "params_m": Size("parameters", lambda row: row.params),
    "gflops": Size("multiply-adds", lambda row: row.macs),
}
"""By the name of the published figure."""


@dataclass(frozen=True)
class MetricComparison:
    """Compare rows in a metric: the part that claims of a lower and of an equivalent figure share."""

    paper: PaperTable
    claim: Claim

    @property
    def metric(self) -> Metric:
        """Return the metric that the rows are compared in."""
        return _find_metric(self.paper, self.claim)

    @property
    def figure_name(self) -> str:
        """Return the name of the figure that the claim is about."""
        return self.metric.name

    def format_ours(self, difference: Estimate) -> str:
        """Return our difference as it is printed."""
        return format_interval(difference, choose_difference_spec(self.metric))


@dataclass(frozen=True)
class Lower(MetricComparison):
    """Claim that each row has a better figure than the next; for an error, a lower one."""

    @property
    def region_for(self) -> Region:
        """Return where a pair's difference, first row less second, bears the claim out."""
        return (-math.inf, 0.0) if self.metric.better == "lower" else (0.0, math.inf)

    @property
    def regions_against(self) -> list[Region]:
        """Return where a pair's difference speaks against the claim."""
        return [(0.0, math.inf) if self.metric.better == "lower" else (-math.inf, 0.0)]

    @property
    def against_in_words(self) -> str:
        """Return how a difference that speaks against the claim is called."""
        return "the other way"

    def pair_rows(self, rows: Sequence[ResultRow]) -> list[RowPair]:
        """Return the comparisons that the claim consists of: each row with the next."""
        return list(pairwise(rows))

    def test_difference(self, difference: Estimate) -> tuple[float, float]:
        """Return the p of a pair's difference being as claimed, and of its being the opposite; not adjusted."""
        below, above = p_below(difference), p_above(difference)
        return (below, above) if self.metric.better == "lower" else (above, below)

    def describe_test(self, is_opposite: bool) -> str:
        """Return the name of the test of the claim, or of its opposite."""
        return f"One-sided paired t{' for the opposite' if is_opposite else ''}"

    def compare_figures(self, figures: Sequence[float]) -> float:
        """Return the paper's own difference: the first published figure less the last."""
        return figures[0] - figures[-1]

    def format_paper(self, difference: float | None) -> str:
        """Return the paper's own difference as it is printed."""
        if difference is None:
            return ""
        return f"{difference:{choose_difference_spec(self.metric)}}"


@dataclass(frozen=True)
class Equivalent(MetricComparison):
    """Claim that no two of the rows differ by more than a margin, in the metric's unit."""

    @property
    def margin(self) -> float:
        """Return the greatest difference that still counts as none."""
        assert self.claim.margin is not None
        return self.claim.margin

    @property
    def region_for(self) -> Region:
        """Return where a pair's difference bears the claim out."""
        return -self.margin, self.margin

    @property
    def regions_against(self) -> list[Region]:
        """Return where a pair's difference speaks against the claim: beyond the margin on either side."""
        return [(-math.inf, -self.margin), (self.margin, math.inf)]

    @property
    def against_in_words(self) -> str:
        """Return how a difference that speaks against the claim is called."""
        return "beyond the margin"

    def pair_rows(self, rows: Sequence[ResultRow]) -> list[RowPair]:
        """Return the comparisons that the claim consists of: each row with each other."""
        return list(combinations(rows, 2))

    def test_difference(self, difference: Estimate) -> tuple[float, float]:
        """Return the p of a pair's difference being as claimed, and of its being the opposite; not adjusted."""
        return p_within(difference, self.margin), p_beyond(difference, self.margin)

    def describe_test(self, is_opposite: bool) -> str:
        """Return the name of the test of the claim, or of its opposite."""
        within = f"{self.margin:g} {self.metric.difference_unit}"
        if is_opposite:
            return f"Paired t for a difference beyond {within}"
        return f"TOST within {within}"

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


@dataclass(frozen=True)
class Cost:
    """Claim that the first row's size exceeds the second's by a percentage; sizes are counted and not tested."""

    paper: PaperTable
    claim: Claim

    @property
    def figure_name(self) -> str:
        """Return the name of the figure that the claim is about."""
        require_choice("figure", self.claim.figure, SIZES)
        return str(self.claim.figure)

    @property
    def counted_size(self) -> Size:
        """Return the size that the claim is about."""
        return SIZES[self.figure_name]

    @property
    def increase_pct(self) -> float:
        """Return the claimed increase, in percent."""
        assert self.claim.increase_pct is not None
        return self.claim.increase_pct

    @property
    def margin(self) -> float:
        """Return by how many percent points an increase may miss the claimed one."""
        assert self.claim.margin is not None
        return self.claim.margin

    def pair_rows(self, rows: Sequence[ResultRow]) -> list[RowPair]:
        """Return nothing: no comparison of this claim depends on seeds."""
        return []

    def is_met_by(self, increase_pct: float) -> bool:
        """Return whether an increase is the claimed one, within the margin."""
        return abs(increase_pct - self.increase_pct) <= self.margin

    def compare_figures(self, figures: Sequence[float]) -> float:
        """Return the increase of the paper's own figures, in percent."""
        return 100 * (figures[0] / figures[-1] - 1)

    def format_paper(self, increase_pct: float | None) -> str:
        """Return the increase of the paper's own figures as it is printed; without those, the claimed one."""
        if increase_pct is None:
            return f"{self.increase_pct:+g} %"
        return f"{increase_pct:+.2f} %"

    def format_ours(self, increase_pct: Estimate) -> str:
        """Return our increase as it is printed."""
        return format_interval(increase_pct, "+.2f", " %")


MetricClaim = Lower | Equivalent
"""A claim that is tested over seeds."""

ClaimKind = Lower | Equivalent | Cost

KINDS: dict[str, Callable[[PaperTable, Claim], ClaimKind]] = {
    "lower": Lower,
    "equivalent": Equivalent,
    "cost": Cost,
}
"""By the word for the kind in the paper's YAML."""


# The YAML's words are looked up here alone: whatever differs between kinds is a method of theirs.
def read_claim(paper: PaperTable, claim: Claim) -> ClaimKind:
    """Return a claim of a table as its kind.

    Raises:
        ConfigError: there is no such kind.
    """
    require_choice("kind", claim.kind, KINDS)
    return KINDS[claim.kind](paper, claim)


def _find_metric(paper: PaperTable, claim: Claim) -> Metric:
    """Return the metric that a claim names, or else the most important one of its table.

    Raises:
        ConfigError: the table prints no such metric.
    """
    metrics = {metric.name: metric for metric in list_table_metrics(paper)}
    name = claim.figure or next(iter(metrics))
    require_choice("figure", name, metrics)
    return metrics[name]
