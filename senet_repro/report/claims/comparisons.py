"""Two rows compared in a metric, and what claims of that share (report floor)."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from senet_repro.config.schema import Claim, PaperTable
from senet_repro.core.choice import require_choice
from senet_repro.report.claims.pairs import Pair
from senet_repro.report.tables.build import ResultRow, ResultTable, list_table_metrics
from senet_repro.report.tables.numbers import choose_difference_spec, format_interval
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import Estimate

AnyRow = TypeVar("AnyRow")
"""A row with its records, or the name of one."""

Region = tuple[float, float]
"""Two bounds between which a difference lies, either of which may be infinite."""


@dataclass(frozen=True, kw_only=True)
class Yardstick:
    """Measure a difference of two rows: the figures that it is set against, in points of the metric."""

    # The least difference that matters; None where nothing says so.
    smallest_effect: float | None
    because: str  # where that comes from, in a reader's words; or why there is none
    # The paper's own gain of the first row over the second; None where ours is of other data, or it has none.
    published_gain: float | None = None
    # SE's gain on the same data, where the least difference that matters is a share of it.
    gain: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A pair of rows of a claim: its difference, what that is measured against, and the p values of what it may show.

    The p values are of one pair alone, and not adjusted.
    """

    pair: Pair
    difference: Estimate  # first row less second, in points of the metric
    yardstick: Yardstick
    p_holds: float  # of the pair's bearing the claim out
    p_fails: float  # of its being the opposite
    p_nothing: float | None = (
        None  # of a gain too small to matter; None where nothing says how small that is
    )
    region_for: Region  # where a difference bears the claim out
    regions_against: Sequence[Region]  # where it speaks against the claim


@dataclass(frozen=True)
class MetricClaim:
    """Claim something about rows in a metric: the part that all claims share which are tested over seeds."""

    paper: PaperTable
    claim: Claim

    @property
    def metric(self) -> Metric:
        """Return the metric that the rows are compared in: the one that the claim names, or else the table's first.

        Raises:
            ConfigError: the table prints no such metric.
        """
        metrics = {metric.name: metric for metric in list_table_metrics(self.paper)}
        name = self.claim.figure or next(iter(metrics))
        require_choice("figure", name, metrics)
        return metrics[name]

    @property
    def figure_name(self) -> str:
        """Return the name of the figure that the claim is about."""
        return self.metric.name

    def format_ours(self, difference: Estimate) -> str:
        """Return our difference as it is printed."""
        return format_interval(difference, choose_difference_spec(self.metric))

    def explain_obstacle(self, table: ResultTable) -> str | None:
        """Return why this table's data cannot decide the claim, however many seeds there are; None where they can."""
        classes = table.example.protocol["data"]["classes"]
        rank = self.metric.rank
        # Among ten classes almost every label is one of the five likeliest, so all networks look alike.
        if rank is not None and rank > 1 and classes <= 2 * rank:
            return (
                f"Among {classes} classes the {self.metric.title} is close to 0 for every network, "
                "so it tells networks apart no more."
            )
        return None

    def turn_into_gain(self, difference: Estimate) -> Estimate:
        """Return by how much the first row is better: the difference with the sign that makes more of it better."""
        if self.metric.better == "higher":
            return difference
        return replace(difference, mean=-difference.mean)

    def compare_published(self, first: ResultRow, second: ResultRow) -> float | None:
        """Return by how much the first row is better than the second in the paper; None where a figure is missing."""
        one, other = (row.paper.published(self.metric.name) for row in (first, second))
        if one is None or other is None:
            return None
        if self.metric.better == "higher":
            return one - other
        return other - one

    def measure_greatest_share(self, comparison: Comparison) -> float:
        """Return the upper end of a gain's interval as a share of the published gain; infinite where there is none."""
        published = comparison.yardstick.published_gain
        if published is None:
            return math.inf
        gain = self.turn_into_gain(comparison.difference)
        return (gain.mean + (gain.half_width or 0.0)) / published

    @property
    @abstractmethod
    def against_in_words(self) -> str:
        """Return how a difference that speaks against the claim is called."""

    @abstractmethod
    def pair_rows(self, rows: Sequence[AnyRow]) -> list[tuple[AnyRow, AnyRow]]:
        """Return the comparisons that the claim consists of."""

    @abstractmethod
    def compare(self, table: ResultTable, pair: Pair) -> Comparison | None:
        """Return the comparison of a pair; None where its rows have no seed in common, or nothing to measure it by."""

    @abstractmethod
    def grade_success(self, comparisons: Sequence[Comparison]) -> str:
        """Return the verdict on a claim whose every pair holds."""

    @abstractmethod
    def describe_test(self, comparison: Comparison, verdict: str) -> str:
        """Return the name of the test whose p value is printed with a verdict."""

    @abstractmethod
    def describe_yardstick(self, comparison: Comparison) -> str:
        """Return the sentence on what the difference is measured against, and whether it holds the paper's."""

    def compare_figures(self, figures: Sequence[float]) -> float:
        """Return the paper's own difference for its column of a verdict: its first row's figure less its last one's."""
        return figures[0] - figures[-1]

    def format_paper(self, difference: float | None) -> str:
        """Return the paper's own difference as it is printed; nothing for None."""
        if difference is None:
            return ""
        return f"{difference:{choose_difference_spec(self.metric)}}"
