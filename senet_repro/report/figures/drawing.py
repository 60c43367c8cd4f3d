"""Figures as bytes: SVG for a file, SVG for a page in light and dark, PNG (report floor).

matplotlib is imported late, since no other verb waits for it, and without its leave to write in the home directory.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1b1f24", "#5f6a75", "#dde1e5", "#fdfdfc"
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#e69f00",
    "#56b4e9",
    "#cc79a7",
)
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK)
"""Okabe and Ito's colours, told apart with any kind of colour vision; their yellow is too faint for lines."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""Not as many as there are colours, so that no pair repeats within 56 rows."""

VARIABLES = {
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
"""The page's names of these colours, which it sets for light and for dark."""

SVG_NAMESPACE = "{http://www.w3.org/2000/svg}"
XLINK_NAMESPACE = "{http://www.w3.org/1999/xlink}"
POINTS_PER_INCH = 72  # a figure's points are the page's CSS pixels
PNG_SCALE = 2

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: the page's font, selectable, small
    "svg.hashsalt": "senet_repro",  # the same ids every time
    "text.parse_math": False,  # a name with dollar signs is a name
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine measures alike
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


@dataclass(frozen=True)
class Drawing:
    """A figure, drawn."""

    name: str  # of its files, and its id in the page
    alt: str  # what it shows, for who cannot see it
    says: str  # its caption
    width_px: int
    svg: str  # a whole document
    inline: str  # an element for a page: its colours are the page's
    png: bytes


def draw(name: str, alt: str, says: str, figure: Callable[[type[Figure]], Figure]) -> Drawing:
    """Let `figure` build a figure in the house's style, and draw it. The same figure gives the same bytes."""
    with _style():
        built = figure(_figure_class())
        vector, raster = io.BytesIO(), io.BytesIO()
        built.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
        built.set_layout_engine("none")  # it is laid out
        built.savefig(
            raster, format="png", dpi=PNG_SCALE * POINTS_PER_INCH, metadata={"Software": None}
        )
    text = vector.getvalue().decode("utf-8")
    width_px = round(built.get_figwidth() * POINTS_PER_INCH)
    return Drawing(name, alt, says, width_px, text, inline_svg(text, name, alt), raster.getvalue())


@cache
def _figure_class() -> type[Figure]:
    """matplotlib's figure, imported so that settings and font list are kept in a folder that goes again."""
    own = "MPLCONFIGDIR" not in os.environ
    with tempfile.TemporaryDirectory(prefix="senet_repro-") as folder:
        os.environ.setdefault("MPLCONFIGDIR", folder)
        try:
            import matplotlib.backends.backend_agg
            import matplotlib.backends.backend_svg
            import matplotlib.figure
            import matplotlib.font_manager
        finally:
            if own:
                del os.environ["MPLCONFIGDIR"]
    return matplotlib.figure.Figure


@contextmanager
def _style() -> Iterator[None]:
    """matplotlib as it is by itself, whatever its user has configured, in the style above."""
    _figure_class()
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from"
        )  # the SVG has it, in the reader's font
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def inline_svg(text: str, name: str, alt: str) -> str:
    """An SVG document as an element of a page: ids of its own, no namespaces, colours by the page's variables."""
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            # What is about the document, or would style the whole page.
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    background = root.find(f".//{SVG_NAMESPACE}g[@id='patch_1']")
    if background is not None:
        background.clear()
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG_NAMESPACE)
        attributes = {key.removeprefix(XLINK_NAMESPACE): value for key, value in element.items()}
        element.attrib.clear()
        element.attrib.update({key: _inline(key, value, name) for key, value in attributes.items()})
    del root.attrib["width"], root.attrib["height"], root.attrib["version"]
    root.attrib.update({"role": "img", "aria-label": alt})
    return ElementTree.tostring(root, encoding="unicode").strip()


def _inline(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return f"#{name}-{value.removeprefix('#')}"
    value = value.replace("url(#", f"url(#{name}-")
    if key != "style":
        return value
    value = re.sub("font-family: [^;]*;? ?", "", value)
    return re.sub("#[0-9a-f]{6}", lambda found: _variable(found[0]), value)


def _variable(colour: str) -> str:
    return f"var(--{VARIABLES[colour]})" if colour in VARIABLES else colour
