"""The figure of learning curves: a panel for each row, with the error in training and validation (report floor)."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senet_repro.report.figures.captions import (
    add_unit,
    describe_alt,
    start_figure,
)
from senet_repro.report.figures.curves import Curve, Folders, read_curve
from senet_repro.report.figures.drawing import Drawing, render_figure, use_house_style
from senet_repro.report.figures.legend import add_legend
from senet_repro.report.figures.style import BLUE, NARROW_PX, VERMILLION, WIDE_PX
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import start_sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTHS_PX = {1: NARROW_PX, 2: 660, 3: WIDE_PX}
"""The width of a figure with so many panels side by side: a lone row is not drawn in a third of the page."""

PANEL_PX = 170
"""The height of a line of panels."""


@dataclass(frozen=True)
class RowCurves:
    """The curves of one row; it has at least one of them."""

    name: str  # of the row
    training: Curve | None
    validation: Curve | None


def draw_learning_curves(table: ResultTable, name: str, folders: Folders) -> Drawing | None:
    """Draw the training and validation error of every row over its epochs.

    None where no run left its epochs behind.
    """
    metric = table.metrics[0]
    rows = _read_rows(table, metric.name, folders)
    if not rows:
        return None
    names = ", ".join(row.name for row in rows)
    alt = describe_alt(table, f"learning curves of {names}")
    caption = (
        f"{start_sentence(metric.title)} in each epoch: "
        "mean over seeds, and a band from their least to their greatest."
    )
    columns = min(len(rows), max(WIDTHS_PX))
    lines = math.ceil(len(rows) / columns)
    with use_house_style():
        figure = start_figure(table, WIDTHS_PX[columns], 90 + PANEL_PX * lines)
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        panels: list[Axes] = list(grid.flat)
        for panel, row in zip(panels, rows, strict=False):
            _draw_panel(panel, row)
        for panel in panels[len(rows) :]:
            panel.set_visible(False)
        # The panels share their scales, so the first sets the height of all.
        panels[0].set_ylim(0, 1.05 * _find_greatest(rows) or 1)
        # The lowest panel of each column stands above the figure's edge, or above a panel that is hidden.
        lowest = range(max(0, len(rows) - columns), len(rows))
        for index in lowest:
            panels[index].set_xlabel("epoch")
        figure.supylabel(add_unit(metric.title, metric), fontsize=12)
        add_legend(figure, panels[0], columns=2)
        return render_figure(figure, f"{name}-curves", alt, caption)


def _read_rows(table: ResultTable, metric: str, folders: Folders) -> list[RowCurves]:
    """Return the curves of every row that has one."""
    rows = []
    for row in table.rows:
        training = read_curve(row, f"train_{metric}", folders)
        validation = read_curve(row, metric, folders)
        if training or validation:
            rows.append(RowCurves(row.name, training, validation))
    return rows


def _find_greatest(rows: Sequence[RowCurves]) -> float:
    """Return the greatest value of all curves."""
    greatest = 0.0
    for row in rows:
        for curve in (row.training, row.validation):
            if curve:
                greatest = max(greatest, *curve.greatest)
    return greatest


def _draw_panel(panel: Axes, row: RowCurves) -> None:
    """Draw the curves of one row under its name."""
    if row.training:
        _draw_curve(panel, row.training, VERMILLION, "--", "training, as augmented")
    if row.validation:
        _draw_curve(panel, row.validation, BLUE, "-", "validation")
    panel.set_title(textwrap.shorten(row.name, 40, placeholder=" …"), loc="left")
    panel.grid(axis="y")
    panel.tick_params(labelbottom=True)
    panel.locator_params(axis="x", nbins=6, integer=True)


def _draw_curve(panel: Axes, curve: Curve, colour: str, style: str, label: str) -> None:
    """Draw the mean as a line and the range of the seeds as a band."""
    # A line of one epoch is no line; it needs a marker to be seen.
    marker = ""
    if len(curve.epochs) <= 1:
        marker = "o"
    panel.fill_between(
        curve.epochs, curve.least, curve.greatest, color=colour, alpha=0.18, linewidth=0
    )
    panel.plot(curve.epochs, curve.mean, style, color=colour, label=label, marker=marker)
