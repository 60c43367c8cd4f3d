"""The figure of a table's error against the size of its networks (report floor)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from senet_repro.report.figures.captions import add_unit, describe_alt, start_figure
from senet_repro.report.figures.drawing import Drawing, render_figure, use_house_style
from senet_repro.report.figures.legend import add_legend
from senet_repro.report.figures.style import MARKERS, SERIES, WIDE_PX
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.stats.estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Measure = Literal["macs", "params"]

MEASURES: dict[Measure, str] = {"macs": "multiply-adds of one image", "params": "parameters"}
"""The measures of a network's size, a panel each."""

POWERS = {1e9: "10⁹", 1e6: "10⁶", 1e3: "10³"}
"""The units of a panel's axis, the greatest first."""

LEGEND_CHARACTERS = 110
"""About how many characters a line of the legend holds."""


@dataclass(frozen=True)
class Point:
    """A row in the figure: its error, its sizes, and its look."""

    name: str
    error: Estimate
    sizes: dict[Measure, int]
    published_error: float | None
    published_sizes: dict[Measure, float]  # as far as the paper prints them
    colour: str
    marker: str


def draw_cost(table: ResultTable, name: str) -> Drawing | None:
    """Draw our error against multiply-adds and parameters, beside the paper's where the data is the paper's.

    None where fewer than two rows were run.
    """
    metric = table.metrics[0]
    points = _find_points(table, metric.name)
    if len(points) < 2:
        return None
    # The errors of a proxy are on a scale of their own, which the paper's would distort.
    is_proxy = table.stands_for is not None
    with_paper = not is_proxy and any(map(_is_published, points))
    content = f"{metric.title} against multiply-adds and parameters of {len(points)} rows"
    caption = f"Our {metric.title} against the size of the networks as run."
    if any(point.error.half_width is not None for point in points):
        caption += " Bars are 95 % intervals."
    if with_paper:
        caption += " Hollow: the paper's."
    columns = _count_columns(points)
    lines = math.ceil(len(points) / columns)
    with use_house_style():
        figure = start_figure(table, WIDE_PX, 330 + 20 * lines)
        panels = figure.subplots(1, len(MEASURES), sharey=True)
        for panel, measure in zip(panels, MEASURES, strict=True):
            _draw_panel(panel, points, measure, with_paper)
        panels[0].set_ylabel(add_unit(metric.title, metric))
        add_legend(figure, panels, columns)
        alt = describe_alt(table, content)
        return render_figure(figure, f"{name}-cost", alt, caption)


def _find_points(table: ResultTable, metric: str) -> list[Point]:
    """Return a point for every row that was run."""
    points: list[Point] = []
    for position, row in enumerate(table.rows):
        error = row.estimates.get(metric)
        # Rows that were not run have no error of ours.
        if error is None:
            continue
        point = Point(
            name=row.name,
            error=error,
            sizes={"macs": row.macs or 0, "params": row.params or 0},
            published_error=row.paper.published(metric),
            published_sizes=_find_published_sizes(row),
            # The position in the table decides, so that a row that is run later changes no other's look.
            colour=SERIES[position % len(SERIES)],
            marker=MARKERS[position % len(MARKERS)],
        )
        points.append(point)
    return points


def _find_published_sizes(row: ResultRow) -> dict[Measure, float]:
    """Return the sizes that the paper prints of a row, in units."""
    sizes: dict[Measure, float] = {}
    if row.paper.gflops is not None:
        sizes["macs"] = row.paper.gflops * 1e9
    if row.paper.params_m is not None:
        sizes["params"] = row.paper.params_m * 1e6
    return sizes


def _is_published(point: Point) -> bool:
    """Return whether the paper prints an error and a size of a point."""
    return point.published_error is not None and bool(point.published_sizes)


def _count_columns(points: Sequence[Point]) -> int:
    """Return how many names the legend holds side by side."""
    longest = max(len(point.name) for point in points)
    # A marker and the gap to the next name take as much room as six characters.
    fitting = LEGEND_CHARACTERS // (longest + 6)
    return max(1, min(len(points), fitting))


def _choose_unit(sizes: Sequence[float]) -> float:
    """Return the greatest power of ten that leaves the greatest size at a half or more."""
    greatest = max(sizes)
    for unit in POWERS:
        if greatest >= unit / 2:
            return unit
    return min(POWERS)


def _draw_panel(panel: Axes, points: Sequence[Point], measure: Measure, with_paper: bool) -> None:
    """Draw all points over one measure of size."""
    unit = _choose_unit([point.sizes[measure] for point in points])
    for point in points:
        _draw_ours(panel, point, point.sizes[measure] / unit)
        published_size = point.published_sizes.get(measure)
        if with_paper and published_size is not None:
            _draw_published(panel, point, published_size / unit)
    panel.set_xlabel(f"{MEASURES[measure]}, {POWERS[unit]}")
    panel.grid()
    panel.margins(0.08, 0.12)
    panel.locator_params(axis="x", nbins=6)
    # Networks may differ by a thousandth of their size: each number is written out, not as a rest over an offset.
    panel.ticklabel_format(axis="x", useOffset=False)


def _draw_ours(panel: Axes, point: Point, size: float) -> None:
    """Draw the mean error of a row, with its interval where there are several seeds."""
    mean, half_width = point.error.mean, point.error.half_width
    if half_width is not None:
        panel.errorbar(size, mean, half_width, color=point.colour, alpha=0.5, linewidth=1.2)
    panel.plot([size], [mean], point.marker, color=point.colour, markersize=8, label=point.name)


def _draw_published(panel: Axes, point: Point, size: float) -> None:
    """Draw the published error of a row as a hollow mark; nothing where the paper prints none."""
    if point.published_error is None:
        return
    panel.plot(
        [size],
        [point.published_error],
        point.marker,
        color=point.colour,
        markerfacecolor="none",
        markersize=8,
    )
