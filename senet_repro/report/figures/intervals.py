"""A table's errors, and their differences, as marks with intervals beside the paper's (report floor)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from senet_repro.config.data_sets import data_title
from senet_repro.report.figures.captions import NARROW_PX, headed, standing, title_of
from senet_repro.report.figures.drawing import BLUE, GRID, MUTED, PAPER, VERMILLION, Drawing, draw
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.stats.estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INTERVAL = (
    "Ours: the mean over seeds with its 95 % Student-t interval, each seed below it; "
    "one seed has no interval and is hollow."
)


def errors(table: ResultTable, name: str) -> Drawing | None:
    """Top-1 errors of every row that has one, ours or the paper's."""
    rows = [row for row in table.rows if row.top1_err_pct or row.paper.top1_err_pct is not None]

    def build(figure_class: type[Figure]) -> Figure:
        figure = headed(figure_class, table, NARROW_PX, _rows_px(rows))
        # A proxy's errors are on a scale of their own, and only its differences stand beside the paper's.
        panels = figure.subplots(1, 2 if table.stands_for else 1, sharey=True, squeeze=False)[0]
        for at, row in enumerate(rows):
            _ours(panels[0], at, row.top1_err_pct, [r.metrics["top1_err_pct"] for r in row.records])
            _papers(panels[-1], at, row.paper.top1_err_pct)
        _name_rows(panels, rows)
        if table.stands_for:
            panels[0].set_xlabel("ours: top-1 error, %")
            panels[1].set_xlabel(f"paper ({data_title(table.stands_for)}), %")
        else:
            panels[0].set_xlabel("top-1 error, %")
        _key(figure, [row.top1_err_pct for row in rows])
        return figure

    alt = f"{title_of(table)}, {standing(table)}: top-1 error of {len(rows)} rows, numbers below"
    return draw(f"{name}-errors", alt, INTERVAL, build) if rows else None


def differences(table: ResultTable, name: str) -> Drawing | None:
    """Differences in top-1 error to each row's baseline; none where no row of ours has one."""
    rows = [
        row
        for row in table.rows
        if not table.is_baseline(row)
        and (row.top1_delta_pct or table.paper_delta(row, "top1_err_pct") is not None)
    ]

    def build(figure_class: type[Figure]) -> Figure:
        figure = headed(figure_class, table, NARROW_PX, _rows_px(rows))
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.8)
        for at, row in enumerate(rows):
            _ours(axes, at, row.top1_delta_pct, _paired(table, row))
            _papers(axes, at, table.paper_delta(row, "top1_err_pct"))
        _name_rows([axes], rows)
        axes.set_xlabel("difference in top-1 error, points; left is better")
        _key(figure, [row.top1_delta_pct for row in rows])
        return figure

    to = table.paper.baseline or "the network without SE"
    says = f"Difference to {to}, ours paired by seed. {INTERVAL}"
    alt = f"{title_of(table)}, {standing(table)}: differences in top-1 error to {to}; the numbers are below"
    return (
        draw(f"{name}-differences", alt, says, build)
        if any(row.top1_delta_pct for row in rows)
        else None
    )


def _paired(table: ResultTable, row: ResultRow) -> list[float]:
    base = next(
        (other for other in table.rows if other.name == table.paper.baseline_of(row.name)), None
    )
    theirs = (
        {record.seed: record.metrics["top1_err_pct"] for record in base.records} if base else {}
    )
    return [r.metrics["top1_err_pct"] - theirs[r.seed] for r in row.records if r.seed in theirs]


def _rows_px(rows: Sequence[ResultRow]) -> float:
    return 100 + sum(14 + 14 * len(_wrapped(row)) for row in rows)


def _wrapped(row: ResultRow) -> list[str]:
    return textwrap.wrap(row.name, 22) or [""]


def _name_rows(panels: Sequence[Axes], rows: Sequence[ResultRow]) -> None:
    """Rows from top to bottom as in the table, names on the left."""
    panels[0].set_yticks(range(len(rows)), ["\n".join(_wrapped(row)) for row in rows])
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    for axes in panels:
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=4 if len(panels) > 1 else 6)
        axes.margins(x=0.12)
        for at in range(len(rows)):
            axes.axhline(at, color=GRID, linewidth=0.8, zorder=0)


def _ours(axes: Axes, at: int, value: Estimate | None, seeds: Sequence[float]) -> None:
    if value is None:
        return
    if value.half_width is None:  # a single seed has no spread, and its mark is hollow
        axes.plot(
            value.mean, at, "o", color=BLUE, markerfacecolor=PAPER, markersize=7, linestyle="none"
        )
        return
    axes.errorbar(
        value.mean, at, xerr=value.half_width, fmt="o", color=BLUE, markersize=7, capsize=3
    )
    axes.plot(
        seeds, [at + 0.25] * len(seeds), "o", color=BLUE, markersize=4, alpha=0.4, linestyle="none"
    )


def _papers(axes: Axes, at: int, value: float | None) -> None:
    if value is not None:
        axes.plot(
            value,
            at,
            "D",
            color=VERMILLION,
            markerfacecolor="none",
            markersize=8,
            markeredgewidth=1.6,
        )


def _key(figure: Figure, values: Sequence[Estimate | None]) -> None:
    """What the marks of intervals are, of those that are drawn."""
    from matplotlib.lines import Line2D

    mark: dict[str, Any] = {"color": BLUE, "marker": "o", "linestyle": "none"}
    handles = []
    if any(value and value.half_width is not None for value in values):
        handles.append(Line2D([], [], color=BLUE, marker="o", markersize=7, label="ours, 95 %"))
        handles.append(Line2D([], [], **mark, markersize=4, alpha=0.4, label="each seed"))
    if any(value and value.half_width is None for value in values):
        handles.append(
            Line2D([], [], **mark, markersize=7, markerfacecolor=PAPER, label="ours, one seed")
        )
    paper: dict[str, Any] = {
        "color": VERMILLION,
        "marker": "D",
        "markerfacecolor": "none",
        "linestyle": "none",
    }
    handles.append(Line2D([], [], **paper, markersize=7, markeredgewidth=1.6, label="paper"))
    figure.legend(handles=handles, loc="outside lower left", ncols=4, columnspacing=1.2)
