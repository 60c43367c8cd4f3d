"""The marks of the rows of a table: their errors, or their differences to a baseline (report floor)."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import Estimate

NAME_CHARACTERS = 22
"""About how many characters of a row's name stand in one line."""


@dataclass(frozen=True)
class Mark:
    """The marks of one row: our estimate with the values of its seeds, and the paper's figure, as far as there are."""

    name: str  # of the row
    ours: Estimate | None
    seed_values: list[float]
    published: float | None

    @property
    def is_empty(self) -> bool:
        """Whether neither we nor the paper have a figure."""
        return self.ours is None and self.published is None

    @property
    def wrapped_name(self) -> list[str]:
        """The lines of the row's name."""
        return textwrap.wrap(self.name, NAME_CHARACTERS) or [""]


def find_errors(table: ResultTable, metric: Metric) -> list[Mark]:
    """Return the errors of the rows that have one, ours or the paper's."""
    marks = []
    for row in table.rows:
        mark = Mark(
            name=row.name,
            ours=row.estimates.get(metric.name),
            seed_values=list(_read_seeds(row, metric).values()),
            published=row.paper.published(metric.name),
        )
        if not mark.is_empty:
            marks.append(mark)
    return marks


def find_differences(table: ResultTable, metric: Metric) -> list[Mark]:
    """Return the differences of the rows that have one to their baseline; baselines have none."""
    marks = []
    for row in table.rows:
        # A baseline would stand at zero and say nothing.
        if table.is_baseline(row):
            continue
        mark = Mark(
            name=row.name,
            ours=row.differences.get(metric.name),
            seed_values=_subtract_baseline(table, row, metric),
            published=table.paper_delta(row, metric.name),
        )
        if not mark.is_empty:
            marks.append(mark)
    return marks


def _read_seeds(row: ResultRow, metric: Metric) -> dict[int, float]:
    """Return the metric of each seed of a row; a record that was made without it is left out."""
    return {
        record.seed: record.metrics[metric.name]
        for record in row.records
        if metric.name in record.metrics
    }


def _subtract_baseline(table: ResultTable, row: ResultRow, metric: Metric) -> list[float]:
    """Return for each seed that a row shares with its baseline the difference between the two."""
    baseline = _find_baseline(table, row)
    if baseline is None:
        return []
    base_values = _read_seeds(baseline, metric)
    differences = []
    # Pairs share their seed, and so the order of their images; other seeds have no partner.
    for seed, value in _read_seeds(row, metric).items():
        if seed in base_values:
            differences.append(value - base_values[seed])
    return differences


def _find_baseline(table: ResultTable, row: ResultRow) -> ResultRow | None:
    """Return the row that a row is compared to; None for a row without a baseline."""
    name = table.paper.baseline_of(row.name)
    for other in table.rows:
        if other.name == name:
            return other
    return None
