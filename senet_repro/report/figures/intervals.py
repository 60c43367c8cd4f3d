"""The figures of a table's errors and of their differences: marks with intervals beside the paper's (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from senet_repro.config.data_sets import data_title
from senet_repro.report.figures.captions import (
    add_unit,
    describe_alt,
    start_figure,
)
from senet_repro.report.figures.drawing import Drawing, render_figure, use_house_style
from senet_repro.report.figures.marks import Mark, find_differences, find_errors
from senet_repro.report.figures.style import GRID, MUTED, NARROW_PX, OURS, PAPER, PUBLISHED
from senet_repro.report.tables.build import ResultTable
from senet_repro.stats.estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

INTERVAL = (
    "Ours: the mean over seeds with its 95 % Student-t interval, each seed below it; "
    "one seed has no interval and is hollow."
)

Look = dict[str, Any]
"""How matplotlib draws a mark."""

OURS_LOOK: Look = {"color": OURS, "marker": "o", "markersize": 7, "linestyle": "none"}
SEED_LOOK: Look = {**OURS_LOOK, "markersize": 4, "alpha": 0.4}
PUBLISHED_LOOK: Look = {
    "color": PUBLISHED,
    "marker": "D",
    "markersize": 8,
    "markerfacecolor": "none",
    "markeredgewidth": 1.6,
    "linestyle": "none",
}


def draw_errors(table: ResultTable, name: str) -> Drawing | None:
    """Draw the error of every row that has one, ours or the paper's; None where no row has."""
    metric = table.metrics[0]
    marks = find_errors(table, metric)
    if not marks:
        return None
    content = f"{metric.title} of {len(marks)} rows, numbers below"
    with use_house_style():
        figure = start_figure(table, NARROW_PX, _measure_height(marks))
        if table.stands_for:
            # A proxy's errors are on a scale of their own, and only its differences stand beside the paper's.
            ours, published = figure.subplots(1, 2, sharey=True)
            paper_data = data_title(table.stands_for)
            ours.set_xlabel(add_unit(f"ours: {metric.title}", metric))
            published.set_xlabel(add_unit(f"paper ({paper_data})", metric))
        else:
            ours = published = figure.subplots()
            ours.set_xlabel(add_unit(metric.title, metric))
        _draw_marks(figure, ours, published, marks)
        alt = describe_alt(table, content)
        return render_figure(figure, f"{name}-errors", alt, INTERVAL)


def draw_differences(table: ResultTable, name: str) -> Drawing | None:
    """Draw the difference in error of each row to its baseline; None where no row of ours has a difference."""
    metric = table.metrics[0]
    marks = find_differences(table, metric)
    if not any(mark.ours for mark in marks):
        return None
    baseline = table.paper.baseline or "the network without SE"
    content = f"differences in {metric.title} to {baseline}; the numbers are below"
    caption = f"Difference to {baseline}, ours paired by seed. {INTERVAL}"
    better_side = "right"
    if metric.better == "lower":
        better_side = "left"
    axis = f"difference in {metric.title}, {metric.difference_unit}; {better_side} is better"
    with use_house_style():
        figure = start_figure(table, NARROW_PX, _measure_height(marks))
        panel = figure.subplots()
        # Marks on this line are as good as their baseline.
        panel.axvline(0, color=MUTED, linewidth=0.8)
        panel.set_xlabel(axis)
        _draw_marks(figure, panel, panel, marks)
        alt = describe_alt(table, content)
        return render_figure(figure, f"{name}-differences", alt, caption)


def _measure_height(marks: Sequence[Mark]) -> float:
    """Return the height of a figure of these rows, in pixels of the page and without its heading."""
    lines = sum(len(mark.wrapped_name) for mark in marks)
    # A line of a name is 14 pixels high, and so is the gap below each row; axis and legend take 100.
    return 100 + 14 * len(marks) + 14 * lines


def _draw_marks(figure: Figure, ours: Axes, published: Axes, marks: Sequence[Mark]) -> None:
    """Draw a line for each row, from top to bottom as in the table, and the legend.

    `ours` and `published` are the panels for our values and the paper's: the same one, or two side by side.
    """
    for y, mark in enumerate(marks):
        if mark.ours:
            _draw_ours(ours, y, mark.ours, mark.seed_values)
        if mark.published is not None:
            published.plot(mark.published, y, **PUBLISHED_LOOK)
    panels = [ours]
    if ours is not published:
        panels = [ours, published]
    _name_rows(panels, marks)
    _add_legend(figure, [mark.ours for mark in marks if mark.ours])


def _name_rows(panels: Sequence[Axes], marks: Sequence[Mark]) -> None:
    """Write the names on the left, and draw a faint line through each row."""
    names = ["\n".join(mark.wrapped_name) for mark in marks]
    first = panels[0]
    first.set_yticks(range(len(marks)), names)
    # The scale is upside down, so that the first row stands on top.
    first.set_ylim(len(marks) - 0.4, -0.6)
    # Half a figure has room for fewer numbers.
    ticks = 6
    if len(panels) > 1:
        ticks = 4
    for panel in panels:
        panel.tick_params(axis="y", length=0)
        panel.grid(axis="x")
        panel.spines["left"].set_visible(False)
        panel.locator_params(axis="x", nbins=ticks)
        panel.margins(x=0.12)
        for y in range(len(marks)):
            panel.axhline(y, color=GRID, linewidth=0.8, zorder=0)


def _draw_ours(panel: Axes, y: int, ours: Estimate, seed_values: Sequence[float]) -> None:
    """Draw our mean with its interval, and each seed below it."""
    if ours.half_width is None:
        # A single seed has no interval, and its mark is hollow.
        panel.plot(ours.mean, y, markerfacecolor=PAPER, **OURS_LOOK)
        return
    panel.errorbar(ours.mean, y, xerr=ours.half_width, capsize=3, **OURS_LOOK)
    # Just below the mean, where the interval's line would hide them.
    heights = [y + 0.25] * len(seed_values)
    panel.plot(seed_values, heights, **SEED_LOOK)


def _add_legend(figure: Figure, estimates: Sequence[Estimate]) -> None:
    """Put a legend below the figure, of those marks that are drawn."""
    handles = []
    has_interval = [estimate.half_width is not None for estimate in estimates]
    if any(has_interval):
        handles.append(make_handle("ours, 95 %", OURS_LOOK, linestyle="-"))
        handles.append(make_handle("each seed", SEED_LOOK))
    if not all(has_interval):
        handles.append(make_handle("ours, one seed", OURS_LOOK, markerfacecolor=PAPER))
    handles.append(make_handle("paper", PUBLISHED_LOOK, markersize=7))
    figure.legend(handles=handles, loc="outside lower left", ncols=4, columnspacing=1.2)


def make_handle(label: str, look: Look, **changes: Any) -> Line2D:
    """Return the sample of a mark in the legend, with a few changes to its look."""
    from matplotlib.lines import Line2D

    look = {**look, **changes}
    return Line2D([], [], label=label, **look)
