"""Figures 6 and 7 and the gates of one picture, drawn from a study of gates (section 7.2; report floor).

Each figure has a panel for each block that is shown, and in it the channels that were drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from senet_repro.report.figures.captions import CHARACTER_PX, HEADING_LINE_PX
from senet_repro.report.figures.drawing import (
    Drawing,
    make_figure,
    render_figure,
    use_house_style,
)
from senet_repro.report.figures.legend import add_legend
from senet_repro.report.figures.style import BLUE, INK, MUTED, SERIES, VERMILLION, WIDE_PX
from senet_repro.results.excitation import BlockCurves, GateStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL_PX = 190
COLUMNS = 3
SPREAD_CLASSES = 2
"""The paper's Figure 7 shows goldfish and plane: here the first class and the third, or as many as there are."""

DrawPanel = Callable[["Axes", GateStudy, BlockCurves], None]


def draw_gate_figures(study: GateStudy, prefix: str = "") -> list[Drawing]:
    """Return the figures of a study; `prefix` begins their names, which no other figure of a page may share."""
    return [
        _draw_panels(
            study,
            f"{prefix}figure6",
            "mean gate of each class",
            "Figure 6: the mean gate of channels that were drawn at random, over the images of single classes and over "
            "all images, by block.",
            "gate",
            _draw_classes,
        ),
        _draw_panels(
            study,
            f"{prefix}figure7",
            "gates within a class",
            "Figure 7: mean gate and standard deviation over the images of a class, by block.",
            "gate",
            _draw_spread,
        ),
        _draw_panels(
            study,
            f"{prefix}picture",
            f"gates of one picture ({study.picture['class']}, image {study.picture['index']})",
            "The gates of one picture on its way through the network. A dot is a channel: above the line it is wider "
            "open than on average over all images. Under each panel stand the channels that open widest beyond that.",
            "gate of the picture",
            _draw_picture,
        ),
    ]


def choose_spread_classes(classes: int) -> list[int]:
    """Return which of the classes Figure 7 shows: the first and the third, as the paper does, or all of fewer."""
    if classes <= SPREAD_CLASSES:
        return list(range(classes))
    return [0, 2]


def _draw_panels(
    study: GateStudy, name: str, content: str, caption: str, label: str, draw_panel: DrawPanel
) -> Drawing:
    """Return a figure with a panel for each block that is shown."""
    lines = math.ceil(len(study.curves) / COLUMNS)
    columns = min(COLUMNS, len(study.curves))
    width_px = WIDE_PX * columns // COLUMNS
    with use_house_style():
        figure = make_figure(width_px, 70 + PANEL_PX * lines + 2 * HEADING_LINE_PX)
        heading = f"Gates of {study.name}\n{study.data['title']}: {content}"
        most = width_px // CHARACTER_PX
        figure.suptitle(
            "\n".join(line[:most] for line in heading.splitlines()),
            x=0.01,
            ha="left",
            fontsize=11,
            color=MUTED,
        )
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
        panels: list[Axes] = list(grid.flat)
        for panel, curves in zip(panels, study.curves, strict=False):
            draw_panel(panel, study, curves)
            panel.set_title(curves.block, loc="left")
            panel.grid(axis="y")
            panel.tick_params(labelleft=True)
        for panel in panels[len(study.curves) :]:
            panel.set_visible(False)
        figure.supylabel(label, fontsize=12)
        handles, _ = panels[0].get_legend_handles_labels()
        if handles:
            add_legend(figure, panels, columns=min(4, len(handles)))
        blocks = ", ".join(curves.block for curves in study.curves)
        alt = f"Section 7.2, {study.name} on {study.data['title']}: {content}, in {blocks}"
        return render_figure(figure, name, alt, caption)


def _draw_classes(panel: Axes, study: GateStudy, curves: BlockCurves) -> None:
    """Draw the mean gates of each class and of all images over the drawn channels."""
    places = range(1, len(curves.channels) + 1)
    for one, means, colour in zip(study.classes, curves.means, SERIES, strict=False):
        panel.plot(places, means, color=colour, linewidth=1.2, label=one["name"])
    panel.plot(places, curves.overall, "--", color=INK, linewidth=1.2, label="all images")
    panel.set_xlabel("channel, of those drawn")


def _draw_spread(panel: Axes, study: GateStudy, curves: BlockCurves) -> None:
    """Draw the mean gates of two classes, and a band of one standard deviation on each side."""
    places = range(1, len(curves.channels) + 1)
    chosen = choose_spread_classes(len(study.classes))
    for position, colour in zip(chosen, (BLUE, VERMILLION), strict=False):
        means, sds = curves.means[position], curves.sds[position]
        low = [mean - sd for mean, sd in zip(means, sds, strict=True)]
        high = [mean + sd for mean, sd in zip(means, sds, strict=True)]
        panel.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)
        name = study.classes[position]["name"]
        panel.plot(places, means, color=colour, linewidth=1.2, label=name)
    panel.set_xlabel("channel, of those drawn")


def _draw_picture(panel: Axes, study: GateStudy, curves: BlockCurves) -> None:
    """Draw the gates of the picture over the mean gates of all images, a dot for each channel drawn."""
    greatest = max(*curves.overall, *curves.picture)
    least = min(0.0, *curves.overall, *curves.picture)
    panel.plot([least, greatest], [least, greatest], color=MUTED, linewidth=0.8)
    panel.plot(curves.overall, curves.picture, "o", color=BLUE, markersize=4, alpha=0.7)
    opened = study.picture["opened"][curves.block]
    channels = ", ".join(str(channel) for channel, _ in opened)
    panel.set_xlabel(f"mean gate; widest open: {channels}")
