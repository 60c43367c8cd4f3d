"""The figure of learning curves: networks with SE beside the same without it, and other rows alone (report floor)."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senet_repro.config.schema import PaperTable
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
    from matplotlib.figure import Figure
    from matplotlib.typing import LineStyleType

WIDTHS_PX = {1: NARROW_PX, 2: 660, 3: WIDE_PX}
"""The width of a figure with so many panels side by side: a lone one is not drawn in a third of the page."""

PANEL_PX = 170
"""The height of a line of panels."""


DASHES = (3, 3)
"""A stroke and a gap of a training curve, in widths of its line."""


@dataclass(frozen=True)
class Look:
    """How the curves of a network are drawn."""

    network: str  # in the legend
    colour: str
    dash_offset: float  # of a training curve, in widths of its line


WITHOUT_SE = Look("without SE", VERMILLION, dash_offset=0)

# Its strokes begin in the other's gaps, so that both are seen where the two curves are one.
WITH_SE = Look("with SE", BLUE, dash_offset=3)


@dataclass(frozen=True)
class RowCurves:
    """The curves of one row; it has at least one of them."""

    name: str  # of the row
    has_se: bool
    training: Curve | None
    validation: Curve | None


Sharing = list[RowCurves]
"""The rows of one panel: a single one, or a network without SE and then the same with SE."""


def draw_learning_curves(table: ResultTable, name: str, folders: Folders) -> Drawing | None:
    """Draw the training and validation error of every row over its epochs.

    A row with SE shares its panel with its baseline, if that has none, as in the paper's Figure 4; other rows have a
    panel each. None where no run left its epochs behind.
    """
    metric = table.metrics[0]
    contents = pair_rows(table.paper, read_rows(table, metric.name, folders))
    if not contents:
        return None
    # The row that gives a panel its title comes first.
    names = [" beside ".join(row.name for row in reversed(rows)) for rows in contents]
    alt = describe_alt(table, f"learning curves of {', '.join(names)}")
    with use_house_style():
        figure = plot_panels(table, contents)
        return render_figure(figure, f"{name}-curves", alt, _write_caption(table, contents))


def pair_rows(paper: PaperTable, rows: Mapping[str, RowCurves]) -> list[Sharing]:
    """Return what each panel shows of some rows, by their names, in the table's order.

    A baseline that stands in the panels of others has none of its own.
    """
    baselines: dict[str, RowCurves] = {}
    for name, row in rows.items():
        baseline = rows.get(paper.baseline_of(name) or "")
        if baseline and row.has_se and not baseline.has_se:
            baselines[name] = baseline
    beside_others = {baseline.name for baseline in baselines.values()}
    contents = []
    for name, row in rows.items():
        if name in baselines:
            contents.append([baselines[name], row])
        elif name not in beside_others:
            contents.append([row])
    return contents


def plot_panels(table: ResultTable, contents: Sequence[Sharing]) -> Figure:
    """Return the figure with a panel for each of the contents; to be called in `use_house_style`."""
    metric = table.metrics[0]
    columns = _count_columns(len(contents))
    lines = math.ceil(len(contents) / columns)
    figure = start_figure(table, WIDTHS_PX[columns], 90 + PANEL_PX * lines)
    # Networks of one table may be trained for 164 epochs or for 1,800: each panel has an axis of its own for them.
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)
    for panel, rows in zip(panels, contents, strict=False):
        _draw_panel(panel, rows)
    for panel in panels[len(contents) :]:
        panel.set_visible(False)
    # No error is below 0. The panels share this scale, so the first sets that of all.
    panels[0].set_ylim(bottom=max(0.0, panels[0].get_ylim()[0]))
    # A label within the figure would part the lines of panels.
    for panel in panels[columns * (lines - 1) :]:
        panel.set_xlabel("epoch")
    figure.supylabel(add_unit(metric.title, metric), fontsize=12)
    add_legend(figure, panels, columns=2)
    return figure


def _count_columns(panels: int) -> int:
    """Return how many panels stand side by side."""
    # Four in a square leave no gap, where three would leave the fourth alone in its line.
    if panels == 4:
        return 2
    return min(panels, max(WIDTHS_PX))


def read_rows(table: ResultTable, metric: str, folders: Folders) -> dict[str, RowCurves]:
    """Return the curves of every row that has one, by the name of the row."""
    rows = {}
    for row in table.rows:
        training = read_curve(row, f"train_{metric}", folders)
        validation = read_curve(row, metric, folders)
        if training or validation:
            has_se = row.records[0].axes is not None
            rows[row.name] = RowCurves(row.name, has_se, training, validation)
    return rows


def _write_caption(table: ResultTable, contents: Sequence[Sharing]) -> str:
    """Return what the lines and bands are, and which networks share a panel."""
    measured = "in validation"
    # A detector's precision is measured on the evaluation images alone.
    if any(row.training for rows in contents for row in rows):
        measured = "in training on augmented images and in validation"
    caption = (
        f"{start_sentence(table.metrics[0].title)} in each epoch, {measured}: mean over seeds, and a band from their "
        "least to their greatest."
    )
    if all(len(rows) == 1 for rows in contents):
        return caption
    partner = "the same network without it"
    if table.paper.baseline:
        partner += f" ({table.paper.baseline})"
    return (
        f"{caption} As in the paper's Figure 4, a network with SE shares its panel with {partner}."
    )


def _draw_panel(panel: Axes, rows: Sharing) -> None:
    """Draw the curves of one or two rows under the name of the last."""
    for row in rows:
        look = WITH_SE if row.has_se else WITHOUT_SE
        if row.training:
            style = (look.dash_offset, DASHES)
            _draw_curve(panel, row.training, look.colour, style, f"{look.network}, training")
        if row.validation:
            _draw_curve(panel, row.validation, look.colour, "-", f"{look.network}, validation")
    panel.set_title(textwrap.shorten(rows[-1].name, 40, placeholder=" …"), loc="left")
    panel.grid(axis="y")
    panel.locator_params(axis="x", nbins=6, integer=True)


def _draw_curve(panel: Axes, curve: Curve, colour: str, style: LineStyleType, label: str) -> None:
    """Draw the mean as a line and the range of the seeds as a band."""
    # A line of one epoch is no line; it needs a marker to be seen.
    marker = ""
    if len(curve.epochs) <= 1:
        marker = "o"
    panel.fill_between(
        curve.epochs, curve.least, curve.greatest, color=colour, alpha=0.18, linewidth=0
    )
    panel.plot(curve.epochs, curve.mean, linestyle=style, color=colour, label=label, marker=marker)
