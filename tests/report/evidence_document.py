"""`docs/evidence.md` and its figure, `docs/verdicts.svg`, made from campaigns whose truth is known.

`python -m tests.report.evidence_document` writes both; a test expects them as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.report.claims.judge import format_verdict
from senet_repro.report.figures.drawing import make_figure, render_figure, use_house_style
from senet_repro.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
)
from tests.conftest import ROOT
from tests.report.made_up_campaigns import LOWERS, MADE_UP, Shown, show

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCUMENT = ROOT / "docs" / "evidence.md"
FIGURE = ROOT / "docs" / "verdicts.svg"

HEAD = """\
# What verdicts make of campaigns whose truth is known

Each campaign below is made up: a program wrote its records, so one knows what is true. Under each stands what was put
in, and what `python -m senet_repro verdict` prints about one claim: its row, and the evidence for it.
[Tables and reports](tables-and-reports.md#verdicts) says what the words mean. The claim is one of Table 11, where SE
lowers the top-1 error by 1.02 points, unless something else is said: "avg" is the network with SE and "ResNet-50" the
one without. Seeds scatter as trainings on ImageNet do. Written by `python -m tests.report.evidence_document`; a test
holds that it is up to date.

![Differences with their intervals, and the verdict on each](verdicts.svg)
"""

DRAWN = (
    "Full replication",
    "A tenth of the effect",
    "None",
    "Harm",
    "Too much noise",
)
"""The campaigns in the figure, which share a claim and a protocol."""

COLOURS = {
    "reproduced": BLUE,
    "smaller than published": SKY,
    "no effect": PURPLE,
    "contradicted": VERMILLION,
    "inconclusive": MUTED,
}
PUBLISHED = -1.02
LEAST = 0.34
WIDTH_PX, HEIGHT_PX = 700, 270


def write_document(shown: Mapping[str, Shown]) -> str:
    """The document about what is shown of each campaign, by its title."""
    parts = [HEAD]
    for made_up in MADE_UP:
        lines = "\n".join(shown[made_up.title].pick_lines(made_up.claim))
        parts.append(f"## {made_up.title}\n\n{made_up.put_in}\n\n{lines}\n")
    return "\n".join(parts)


def draw_figure(shown: Mapping[str, Shown]) -> str:
    """The SVG of some differences beside 0, the least that matters, and the published one."""
    with use_house_style():
        figure = make_figure(WIDTH_PX, HEIGHT_PX)
        panel = figure.subplots()
        _draw_yardsticks(panel)
        for y, title in enumerate(DRAWN):
            _draw_campaign(panel, y, shown[title])
        # Upside down, so that the first campaign stands on top.
        panel.set_ylim(len(DRAWN) - 0.5, -0.6)
        panel.set_xlim(-1.6, 0.9)
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        panel.set_xlabel("difference in top-1 error with SE, points; left is better")
        return render_figure(figure, "verdicts", "", "").svg


def _draw_yardsticks(panel: Axes) -> None:
    panel.axvspan(-LEAST, LEAST, color=ORANGE, alpha=0.18, linewidth=0)
    panel.axvline(0, color=INK, linewidth=1.0)
    panel.axvline(PUBLISHED, color=GREEN, linewidth=1.4)
    panel.axvline(PUBLISHED / 2, color=GREEN, linewidth=1.4, linestyle="--")
    names = {PUBLISHED: "the paper's", PUBLISHED / 2: "half of it", 0: "too small to matter"}
    for x, name in names.items():
        panel.annotate(
            name,
            (x, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=11,
        )


def _draw_campaign(panel: Axes, y: int, shown: Shown) -> None:
    judged = shown.find_judged(LOWERS)
    difference = judged.difference
    assert difference is not None
    verdict = format_verdict(judged)
    colour = COLOURS[verdict]
    panel.errorbar(
        difference.mean,
        y,
        xerr=difference.half_width,
        color=colour,
        marker="o",
        markersize=7,
        capsize=4,
        linewidth=2,
    )
    # Beyond the yardsticks there is room for words.
    panel.text(0.9, y, verdict, color=INK, va="center", ha="right")


def show_all(folder: Path) -> dict[str, Shown]:
    """Each campaign as a reader sees it, by its title; they are written below a folder."""
    return {made_up.title: show(made_up, folder / made_up.title) for made_up in MADE_UP}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shown = show_all(Path(folder))
        DOCUMENT.write_text(write_document(shown), encoding="utf-8")
        FIGURE.write_text(draw_figure(shown), encoding="utf-8")


if __name__ == "__main__":
    main()
