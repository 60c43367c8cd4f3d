"""What every figure says of itself, so that none taken out of the report passes for the paper's (report floor)."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from senet_repro.config.data_sets import data_title
from senet_repro.config.paper_tables import label
from senet_repro.report.figures.drawing import MUTED
from senet_repro.report.tables.build import ResultTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCH = 72  # a figure's points to an inch: its sizes are the page's CSS pixels
NARROW_PX, WIDE_PX = 460, 940


def title_of(table: ResultTable) -> str:
    """A table's number and title."""
    return f"{label(table.paper)}: {table.paper.title}"


def standing(table: ResultTable) -> str:
    """What the numbers of a table can stand for, in a few words."""
    data = data_title(table.example.canonical["data"]["name"])
    if table.stands_for:
        said = f"{data}, a proxy for {data_title(table.stands_for)}"
    else:
        said = f"{data}, {'not ' if table.departures else ''}the paper's protocol"
    return f"{said}; one seed is no evidence" if len(table.seeds) == 1 else said


def headed(
    figure_class: type[Figure], table: ResultTable, width_px: int, height_px: float
) -> Figure:
    """An empty figure under a heading that says what it is of."""
    figure = figure_class(figsize=(width_px / INCH, (height_px + 34) / INCH), layout="constrained")
    figure.suptitle(
        "\n".join((textwrap.shorten(title_of(table), width_px // 8, placeholder=" …"), standing(table))),
        x=0.01, ha="left", fontsize=11, color=MUTED,
    )  # fmt: skip
    return figure
