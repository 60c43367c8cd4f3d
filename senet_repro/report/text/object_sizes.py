"""Average precision by the size of objects in words and cells (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.report.tables.numbers import choose_value_spec, format_interval
from senet_repro.report.tables.object_sizes import SizeRow
from senet_repro.tasks.detection.metrics import SIZE_METRICS

SIZES_HEADING = "Average precision by the size of objects"

SIZES_NOTE = (
    "Small objects are those of less than 32 x 32 px, medium ones of less than 96 x 96 px, and large ones all others, "
    "by the area that their annotation states. Means over n seeds; ± is half a 95 % interval over them."
)


def list_size_cells(rows: Sequence[SizeRow]) -> list[list[str]]:
    """Return a heading and a line for each row: its figures, and of how many seeds they are."""
    lines = [["row", *(f"{metric.label}, {metric.unit_sign}" for metric in SIZE_METRICS), "n"]]
    for row in rows:
        figures = [
            format_interval(estimate, choose_value_spec(metric)) or "no such object"
            for estimate, metric in zip(row.estimates, SIZE_METRICS, strict=True)
        ]
        lines.append([row.name, *figures, str(row.seeds)])
    return lines
