"""Describe in words what a figure or a table is of (report floor).

The words stand in the figure itself, so that a figure that is taken out of the report does not pass for the paper's.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from senet_repro.config.data_sets import data_title
from senet_repro.config.paper_tables import label_table
from senet_repro.report.figures.drawing import make_figure
from senet_repro.report.figures.style import MUTED
from senet_repro.report.tables.build import ResultTable
from senet_repro.results.metrics import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADING_LINE_PX = 17
"""The height of a line of the heading above a figure."""

CHARACTER_PX = 8
"""More than a character of the heading takes, to shorten titles by."""

WRAPPED_CHARACTER_PX = 6.5
"""About the width of one in a sentence, to wrap lines by."""


def write_title(table: ResultTable) -> str:
    """Return a table's number and title."""
    return f"{label_table(table.paper)}: {table.paper.title}"


def describe_standing(table: ResultTable) -> str:
    """Return in a few words what the numbers of a table can stand for: a proxy, or the paper's protocol or not."""
    name = table.example.identity["data"]["name"]
    # A part of a set goes by more than its title.
    data = data_title(name)
    if table.set_name != name:
        data = table.set_name
    standing = f"{data}, {table.standing}"
    if table.stands_for:
        standing += f" for {data_title(table.stands_for)}"
    if len(table.seeds) == 1:
        standing += "; one seed is no evidence"
    return standing


def describe_alt(table: ResultTable, content: str) -> str:
    """Return the text for readers who cannot see a figure: of which table it is, and its content."""
    return f"{write_title(table)}, {describe_standing(table)}: {content}"


def add_unit(text: str, metric: Metric) -> str:
    """Return a text with the unit of a metric behind it, such as `top-1 error, %`."""
    if not metric.unit_sign:
        return text
    return f"{text}, {metric.unit_sign}"


def start_figure(table: ResultTable, width_px: int, height_px: float) -> Figure:
    """Return an empty figure under a heading: the table's title, and what its numbers can stand for.

    `height_px` is without the heading.
    """
    # A title that is longer than the figure would make it wider.
    title = textwrap.shorten(write_title(table), width_px // CHARACTER_PX, placeholder=" …")
    # What the numbers stand for is never shortened.
    longest = int(width_px / WRAPPED_CHARACTER_PX)
    lines = [title, *textwrap.wrap(describe_standing(table), longest)]
    figure = make_figure(width_px, height_px + HEADING_LINE_PX * len(lines))
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=11, color=MUTED)
    return figure
