"""The figures of a table: intervals, learning curves, error against cost (report floor)."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from senet_repro.report.figures.captions import WIDE_PX, headed, standing, title_of
from senet_repro.report.figures.curves import TRAIN, VALIDATION, Curve, Folders, curve
from senet_repro.report.figures.drawing import BLUE, MARKERS, SERIES, VERMILLION, Drawing, draw
from senet_repro.report.figures.intervals import differences, errors
from senet_repro.report.tables.build import ResultRow, ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3  # of learning curves
BANDS = "Top-1 error in each epoch: mean over seeds, and a band from their least to their greatest."
MEASURED = ("multiply-adds of one image", "parameters")
POWERS = {1e9: "10⁹", 1e6: "10⁶", 1e3: "10³"}


def drawings(table: ResultTable, name: str, folders: Folders) -> list[Drawing]:
    """Every figure of a table that there is something to draw for; their names begin with `name`."""
    found = [
        errors(table, name),
        differences(table, name),
        learning_curves(table, name, folders),
        cost(table, name),
    ]
    return [drawing for drawing in found if drawing]


def learning_curves(table: ResultTable, name: str, folders: Folders) -> Drawing | None:
    """Training and validation error of every row over its epochs; none where no run says its epochs."""
    found = [
        (row, curve(row, TRAIN, folders), curve(row, VALIDATION, folders)) for row in table.rows
    ]
    drawn = [(row, train, valid) for row, train, valid in found if train or valid]
    lines = math.ceil(len(drawn) / COLUMNS)

    def build(figure_class: type[Figure]) -> Figure:
        figure = headed(figure_class, table, WIDE_PX, 90 + 170 * lines)
        panels = figure.subplots(lines, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for axes in panels.flat[len(drawn) :]:
            axes.set_visible(False)
        for axes, (row, train, valid) in zip(panels.flat, drawn, strict=False):
            _band(axes, train, VERMILLION, "--", "training, as augmented")
            _band(axes, valid, BLUE, "-", "validation")
            axes.set_title(textwrap.shorten(row.name, 40, placeholder=" …"), loc="left")
            axes.grid(axis="y")
            axes.tick_params(labelbottom=True)
            axes.locator_params(axis="x", nbins=6, integer=True)
        panels.flat[0].set_ylim(
            0, 1.05 * max(max(c.greatest) for _, *both in drawn for c in both if c) or 1
        )
        for axes in panels.flat[max(0, len(drawn) - COLUMNS) : len(drawn)]:
            axes.set_xlabel("epoch")
        figure.supylabel("top-1 error, %", fontsize=12)
        _legend(figure, panels.flat[0])
        return figure

    alt = f"{title_of(table)}, {standing(table)}: learning curves of {', '.join(row.name for row, _, _ in drawn)}"
    return draw(f"{name}-curves", alt, BANDS, build) if drawn else None


def _band(axes: Axes, drawn: Curve | None, colour: str, style: str, name: str) -> None:
    if drawn is None:
        return
    axes.fill_between(
        drawn.epochs, drawn.least, drawn.greatest, color=colour, alpha=0.18, linewidth=0
    )
    axes.plot(
        drawn.epochs,
        drawn.mean,
        style,
        color=colour,
        label=name,
        marker="" if len(drawn.epochs) > 1 else "o",
    )


def cost(table: ResultTable, name: str) -> Drawing | None:
    """Error against multiply-adds and parameters; none for a single point."""
    rows = [(at, row) for at, row in enumerate(table.rows) if row.estimates.get("top1_err_pct")]
    with_paper = not table.stands_for and any(_paper_sizes(row) != (None, None) for _, row in rows)

    def build(figure_class: type[Figure]) -> Figure:
        columns = max(1, min(len(rows), 110 // (max(len(row.name) for _, row in rows) + 6)))
        figure = headed(figure_class, table, WIDE_PX, 330 + 20 * math.ceil(len(rows) / columns))
        panels = figure.subplots(1, 2, sharey=True)
        for panel, (axes, measured) in enumerate(zip(panels, MEASURED, strict=True)):
            sizes = [(row.macs, row.params)[panel] or 0 for _, row in rows]
            unit = next((unit for unit in POWERS if max(sizes) >= unit / 2), 1e3)
            for (at, row), size in zip(rows, sizes, strict=True):
                _point(axes, at, row, size / unit)
                published = _paper_sizes(row)[panel]
                if with_paper and published is not None:
                    colour, marker = _look(at)
                    top1 = row.paper.published("top1_err_pct")
                    axes.plot(
                        [published / unit],
                        [top1],
                        marker,
                        color=colour,
                        markerfacecolor="none",
                        markersize=8,
                    )
            axes.set_xlabel(f"{measured}, {POWERS[unit]}")
            axes.grid()
            axes.margins(0.08, 0.12)
            axes.locator_params(axis="x", nbins=6)
        panels[0].set_ylabel("top-1 error, %")
        _legend(figure, panels[0], columns)
        return figure

    says = "Our top-1 error against the size of the networks as run; bars are 95 % intervals."
    says += " Hollow: the paper's." if with_paper else ""
    alt = f"{title_of(table)}, {standing(table)}: top-1 error against multiply-adds and parameters of {len(rows)} rows"
    return draw(f"{name}-cost", alt, says, build) if len(rows) > 1 else None


def _paper_sizes(row: ResultRow) -> tuple[float | None, float | None]:
    """The published multiply-adds and parameters of a row that has a published error."""
    if row.paper.published("top1_err_pct") is None:
        return None, None
    macs, params = row.paper.gflops, row.paper.params_m
    return None if macs is None else macs * 1e9, None if params is None else params * 1e6


def _look(at: int) -> tuple[str, str]:
    """Colour and marker of the row at a place in its table."""
    return SERIES[at % len(SERIES)], MARKERS[at % len(MARKERS)]


def _point(axes: Axes, at: int, row: ResultRow, size: float) -> None:
    error = row.estimates["top1_err_pct"]
    (colour, marker), half_width = _look(at), error.half_width
    if half_width is not None:
        axes.errorbar(
            size,
            error.mean,
            half_width,
            color=colour,
            alpha=0.5,
            linewidth=1.2,
        )
    axes.plot(
        [size],
        [error.mean],
        marker,
        color=colour,
        markersize=8,
        label=row.name,
    )


def _legend(figure: Figure, axes: Axes, columns: int = 3) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=columns)
