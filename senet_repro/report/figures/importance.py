"""The figure of masked channels: error against the share that is masked, a panel for each scope (report floor)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from senet_repro.report.figures.captions import HEADING_LINE_PX
from senet_repro.report.figures.drawing import Drawing, make_figure, render_figure, use_house_style
from senet_repro.report.figures.learning_curves import WIDTHS_PX
from senet_repro.report.figures.legend import add_legend
from senet_repro.report.figures.style import MARKERS, MUTED, SERIES
from senet_repro.report.tables.importance import Finding, collect_spreads, describe_scope
from senet_repro.report.tables.numbers import count_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL_PX = 220
"""The height of a line of panels."""

NAME = "importance"


def draw_importance(finding: Finding, name: str = NAME) -> Drawing:
    """Draw the error of a network against the share of channels masked, a line for each measure.

    `name` is that of the figure, which no other figure of a page may share.
    """
    scopes = finding.list_scopes()
    columns = 2 if len(scopes) == 4 else min(len(scopes), max(WIDTHS_PX))
    lines = math.ceil(len(scopes) / columns)
    measures = ", ".join(finding.list_measures())
    alt = f"{finding.name}: error with the least important channels masked, by {measures}"
    caption = "Top-1 error with the least important channels masked; nothing is trained."
    with use_house_style():
        figure = make_figure(WIDTHS_PX[columns], 90 + PANEL_PX * lines + 2 * HEADING_LINE_PX)
        heading = f"{finding.name}\n{_describe_bands(finding)}"
        figure.suptitle(heading, x=0.01, ha="left", fontsize=11, color=MUTED)
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        panels: list[Axes] = list(grid.flat)
        for panel, scope in zip(panels, scopes, strict=False):
            _draw_panel(panel, finding, scope)
        for panel in panels[len(scopes) :]:
            panel.set_visible(False)
        panels[0].set_ylim(0, 100)
        for panel in panels[max(0, len(scopes) - columns) : len(scopes)]:
            panel.set_xlabel("channels masked, %")
        figure.supylabel("top-1 error, %", fontsize=12)
        add_legend(figure, panels[:1], columns=6)
        return render_figure(figure, name, alt, caption)


def _describe_bands(finding: Finding) -> str:
    seeds = len(finding.seeds)
    first = finding.first
    words = f"{first.data['title']}, {first.scored_images:,} images, {count_seeds(seeds)}; "
    if seeds == 1:
        return words + "band of random: least to greatest of the draws"
    return words + "bands: 95 % intervals over seeds"


def _draw_panel(panel: Axes, finding: Finding, scope: str) -> None:
    """Draw the curves of one scope, from the error without a mask on."""
    shares = [0, *finding.first.shares_pct]
    unmasked = finding.estimate_unmasked()
    for index, measure in enumerate(finding.list_measures()):
        estimates = [unmasked, *finding.estimate_errors(scope, measure)]
        means = [one.mean for one in estimates]
        if len(finding.seeds) > 1:
            low = [one.mean - (one.half_width or 0) for one in estimates]
            high = [one.mean + (one.half_width or 0) for one in estimates]
        else:
            spreads = collect_spreads(finding.first, scope, measure)
            low = [unmasked.mean, *spreads["least"]]
            high = [unmasked.mean, *spreads["most"]]
        panel.fill_between(shares, low, high, color=SERIES[index], alpha=0.15, linewidth=0)
        panel.plot(
            shares, means, color=SERIES[index], marker=MARKERS[index], markersize=4, label=measure
        )
    panel.set_title(describe_scope(scope), loc="left")
    panel.grid(axis="y")
    panel.tick_params(labelbottom=True)
