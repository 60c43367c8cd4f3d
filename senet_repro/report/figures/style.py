"""The look of every figure: colours, markers and matplotlib's settings (report floor)."""

from __future__ import annotations

from typing import Any

INK = "#1b1f24"
MUTED = "#5f6a75"
GRID = "#dde1e5"
PAPER = "#fdfdfc"

# Okabe and Ito's colours, told apart with any kind of colour vision; their yellow is too faint for lines.
BLUE = "#0072b2"
VERMILLION = "#d55e00"
GREEN = "#009e73"
ORANGE = "#e69f00"
SKY = "#56b4e9"
PURPLE = "#cc79a7"

OURS = BLUE
"""The colour of what our records say."""

PUBLISHED = VERMILLION
"""The colour of what the paper prints."""

SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK)
"""The colours of the rows of a table, one after another."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""The markers of the rows: one more than there are colours, so that no pair repeats within 56 rows."""

PAGE_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    BLUE: "blue",
    VERMILLION: "vermillion",
    GREEN: "green",
    ORANGE: "orange",
    SKY: "sky",
    PURPLE: "purple",
}
"""The CSS variable for each colour; page.css sets all of them, once for light and once for dark."""

POINTS_PER_INCH = 72
"""matplotlib measures in inches, the page in CSS pixels: a figure's point is one of the page's pixels."""

PNG_SCALE = 2
"""Pixels of a PNG for each pixel of the page, so that it is sharp on dense screens."""

NARROW_PX = 460
"""The width of a figure that stands beside another on the page."""

WIDE_PX = 940
"""The width of a figure that has the page's whole width."""

SETTINGS: Any = {
    # Text stays text, in the page's font: it can be selected, and the files are small.
    "svg.fonttype": "none",
    # The same figure has the same ids every time.
    "svg.hashsalt": "senet_repro",
    # A name with dollar signs is a name and no formula.
    "text.parse_math": False,
    # This font comes with matplotlib, so every machine gives text the same size.
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titlecolor": INK,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "lines.linewidth": 1.6,
}
"""matplotlib's settings, over its defaults."""
