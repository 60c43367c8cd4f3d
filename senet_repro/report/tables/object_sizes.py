"""Average precision by the size of objects, as means over the seeds of each row (report floor)."""

from __future__ import annotations

from dataclasses import dataclass

from senet_repro.config.schema import DETECTION
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.contrasts import find_least_sd
from senet_repro.results.metrics import Metric
from senet_repro.results.record import Record
from senet_repro.stats.estimates import Estimate, estimate_mean
from senet_repro.tasks.detection.metrics import SIZE_METRICS


@dataclass(frozen=True)
class SizeRow:
    """A row of detectors, and how precise they are for each size of objects."""

    name: str
    seeds: int
    # In the order of the metrics; None for a size that no picture of the evaluation shows.
    estimates: list[Estimate | None]


def measure_sizes(table: ResultTable) -> list[SizeRow]:
    """Return the rows of detectors that have records; none of another task's table."""
    if table.example.task != DETECTION:
        return []
    return [
        SizeRow(
            name=row.name,
            seeds=len(row.records),
            estimates=[_estimate_metric(row.records, metric) for metric in SIZE_METRICS],
        )
        for row in table.rows
        if row.records
    ]


def _estimate_metric(records: list[Record], metric: Metric) -> Estimate | None:
    """Return the mean of a metric over the records that have it; None where none has."""
    values = [record.metrics[metric.name] for record in records if metric.name in record.metrics]
    if not values:
        return None
    # As in the table above, where seeds that agree by chance are not taken for certain.
    return estimate_mean(values, find_least_sd(records, metric))
