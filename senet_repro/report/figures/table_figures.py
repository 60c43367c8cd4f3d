"""All figures of a table (report floor)."""

from __future__ import annotations

from senet_repro.report.figures.cost import draw_cost
from senet_repro.report.figures.curves import Folders
from senet_repro.report.figures.drawing import Drawing
from senet_repro.report.figures.intervals import draw_differences, draw_errors
from senet_repro.report.figures.learning_curves import draw_learning_curves
from senet_repro.report.tables.build import ResultTable


def draw_table_figures(table: ResultTable, name: str, folders: Folders) -> list[Drawing]:
    """Draw every figure of a table that there is something to draw for; their names begin with `name`."""
    drawings = [
        draw_errors(table, name),
        draw_differences(table, name),
        draw_learning_curves(table, name, folders),
        draw_cost(table, name),
    ]
    return [drawing for drawing in drawings if drawing]
