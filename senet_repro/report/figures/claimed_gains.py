"""The figure of all gains that the paper claims: ours with intervals, the paper's, and the verdicts (report floor)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senet_repro.config.paper_tables import label_table
from senet_repro.report.claims.judge import Judged, format_verdict
from senet_repro.report.claims.lower import Lower
from senet_repro.report.claims.words import NOT_TESTABLE
from senet_repro.report.figures.captions import HEADING_LINE_PX, describe_standing
from senet_repro.report.figures.drawing import (
    Drawing,
    make_figure,
    render_figure,
    use_house_style,
)
from senet_repro.report.figures.intervals import (
    OURS_LOOK,
    PUBLISHED_LOOK,
    make_handle,
)
from senet_repro.report.figures.style import GRID, INK, MUTED, PAPER, WIDE_PX
from senet_repro.report.tables.build import ResultTable
from senet_repro.stats.estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "claims"
TITLE = "Every gain that the paper claims, and ours"
CAPTION = (
    "A gain is by how much the first row of a claim is better, in points of its metric: right of 0 as claimed. Ours is "
    "the mean over seeds with its 95 % interval, paired by seed; of a chain of rows both are of the step that "
    "decides. Grey: gains too small to matter. The scale is linear within 2 points and logarithmic beyond."
)

CLAIM_CHARACTERS = 46
"""About how many characters of a claim stand in one line."""

LINE_PX = 15
GAP_LINES = 0.4
"""The gap between two claims, in lines of text."""

FRAME_PX = 150
"""The height of the axis, the legend and a heading of two lines."""

LINEAR_POINTS = 2.0
"""Up to here the scale is linear: beyond, one claim's gain may be ten times another's."""

TICKS = (-50, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 50)


@dataclass(frozen=True)
class GainMark:
    """A claim with our gain, and what it is set against."""

    lines: list[str]  # the table and the claim, as they stand on the left
    ours: Estimate
    published: float | None
    smallest_effect: float | None
    verdict: str


def draw_claimed_gains(
    judged_tables: Sequence[tuple[ResultTable, Sequence[Judged]]],
) -> Drawing | None:
    """Draw our gain of every claim that one row is better than another; None where none of ours has a difference."""
    groups = [(table, find_gains(table, judged)) for table, judged in judged_tables]
    groups = [(table, marks) for table, marks in groups if marks]
    if not groups:
        return None
    marks = [mark for _, of_table in groups for mark in of_table]
    lines = sum(len(mark.lines) for mark in marks)
    standings = dict.fromkeys(describe_standing(table) for table, _ in groups)
    frame_px = FRAME_PX + HEADING_LINE_PX * (len(standings) - 1)
    with use_house_style():
        figure = make_figure(WIDE_PX, frame_px + LINE_PX * (lines + GAP_LINES * len(marks)))
        heading = "\n".join([TITLE, *standings])
        figure.suptitle(heading, x=0.01, ha="left", fontsize=11, color=MUTED)
        panel = figure.subplots()
        _draw_gains(panel, marks)
        _add_legend(figure, marks)
        alt = f"{TITLE}: {len(marks)} claims, whose numbers and verdicts are in the tables"
        return render_figure(figure, NAME, alt, CAPTION)


def find_gains(table: ResultTable, judged: Sequence[Judged]) -> list[GainMark]:
    """Return the marks of the claims of a table that one row is better than another, in the table's order."""
    marks = []
    for one in judged:
        kind = one.kind
        if not isinstance(kind, Lower) or one.difference is None or one.verdict == NOT_TESTABLE:
            continue
        published = one.paper_difference
        if published is not None and kind.metric.better == "lower":
            published = -published
        label = f"{label_table(table.paper)}: {one.claim.says}"
        marks.append(
            GainMark(
                lines=textwrap.wrap(label, CLAIM_CHARACTERS),
                ours=kind.turn_into_gain(one.difference),
                published=published,
                smallest_effect=one.yardstick.smallest_effect if one.yardstick else None,
                verdict=format_verdict(one),
            )
        )
    return marks


def _draw_gains(panel: Axes, marks: Sequence[GainMark]) -> None:
    """Draw a line for each claim, from top to bottom as in the tables, its verdict on the right."""
    panel.set_xscale("symlog", linthresh=LINEAR_POINTS, linscale=1.2)
    panel.axvline(0, color=MUTED, linewidth=0.8)
    places = _space_rows(marks)
    for y, mark in zip(places, marks, strict=True):
        panel.axhline(y, color=GRID, linewidth=0.8, zorder=0)
        _draw_gain(panel, y, mark)
        panel.annotate(
            mark.verdict,
            (1.01, y),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=10,
            color=INK,
            annotation_clip=False,
        )
    panel.set_yticks(places, ["\n".join(mark.lines) for mark in marks], fontsize=10)
    panel.set_ylim(places[-1] + 1.2, places[0] - 1.2)
    panel.set_xlabel("gain, points; right is as the paper claims")
    panel.set_xticks(TICKS, [f"{tick:+d}" if tick else "0" for tick in TICKS])
    panel.minorticks_off()
    panel.grid(axis="x")
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    _fit_scale(panel, marks)


def _space_rows(marks: Sequence[GainMark]) -> list[float]:
    """Return the height of each claim on a scale of lines of text, so that long claims have room."""
    places = []
    top = 0.0
    for mark in marks:
        height = len(mark.lines) + GAP_LINES
        places.append(top + height / 2)
        top += height
    return places


def _draw_gain(panel: Axes, y: float, mark: GainMark) -> None:
    """Draw our gain with its interval, the paper's, and the band of gains too small to matter."""
    least = mark.smallest_effect
    if least is not None:
        panel.fill_betweenx([y - 0.5, y + 0.5], -least, least, color=GRID, linewidth=0, zorder=1)
    if mark.published is not None:
        panel.plot(mark.published, y, **PUBLISHED_LOOK)
    if mark.ours.half_width is None:
        # A single seed has no interval, and its mark is hollow.
        panel.plot(mark.ours.mean, y, markerfacecolor=PAPER, **OURS_LOOK)
        return
    panel.errorbar(mark.ours.mean, y, xerr=mark.ours.half_width, capsize=3, **OURS_LOOK)


def _fit_scale(panel: Axes, marks: Sequence[GainMark]) -> None:
    """Let the scale end at a tick beyond all marks, and at 2 points on either side at least."""
    ends = [-LINEAR_POINTS, LINEAR_POINTS]
    for mark in marks:
        half_width = mark.ours.half_width or 0.0
        ends += [mark.ours.mean - half_width, mark.ours.mean + half_width]
        if mark.published is not None:
            ends.append(mark.published)
    lowest = max((tick for tick in TICKS if tick <= min(ends)), default=min(ends))
    highest = min((tick for tick in TICKS if tick >= max(ends)), default=max(ends))
    panel.set_xlim(lowest, highest)


def _add_legend(figure: Figure, marks: Sequence[GainMark]) -> None:
    """Put a legend below the figure, of those marks that are drawn."""
    handles = []
    has_interval = [mark.ours.half_width is not None for mark in marks]
    if any(has_interval):
        handles.append(make_handle("ours, 95 %", OURS_LOOK, linestyle="-"))
    if not all(has_interval):
        handles.append(make_handle("ours, one seed", OURS_LOOK, markerfacecolor=PAPER))
    if any(mark.published is not None for mark in marks):
        handles.append(make_handle("paper", PUBLISHED_LOOK, markersize=7))
    figure.legend(handles=handles, loc="outside lower left", ncols=3, columnspacing=1.2)
