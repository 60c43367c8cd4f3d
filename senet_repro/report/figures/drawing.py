"""From a matplotlib figure to bytes: SVG for a file, SVG for the page, PNG (report floor).

matplotlib is imported in functions, since it takes longer to import than most verbs take to answer.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.report.figures.inline_svg import make_inline
from senet_repro.report.figures.style import PNG_SCALE, POINTS_PER_INCH, SETTINGS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """A figure as it is written to files and into the page."""

    name: str  # of its files, and its id in the page
    alt: str  # its content in words, for readers who cannot see it
    caption: str
    width_px: int  # in the page
    svg: str  # a whole document
    inline: str  # an element of the page, in the page's colours
    figure: Figure = field(repr=False, compare=False)

    @cached_property
    def png(self) -> bytes:
        """The figure in pixels, drawn when it is first asked for: it takes as long as all else."""
        with use_house_style():
            return _render_png(self.figure)


@contextmanager
def use_house_style() -> Iterator[None]:
    """Within the block, draw in the style of this project; matplotlib's settings of the user take no part."""
    set_matplotlib_folder()
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # An SVG holds text and not shapes, so the reader's own font has the glyphs that ours lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def make_figure(width_px: float, height_px: float) -> Figure:
    """Return an empty figure of a size on the page; to be called in `use_house_style`."""
    from matplotlib.figure import Figure

    size_inches = (width_px / POINTS_PER_INCH, height_px / POINTS_PER_INCH)
    return Figure(figsize=size_inches, layout="constrained")


def render_figure(figure: Figure, name: str, alt: str, caption: str) -> Drawing:
    """Return a figure as bytes; to be called in `use_house_style`. The same figure gives the same bytes."""
    svg = _render_svg(figure)
    # The layout is settled now; another pass for the PNG could move things.
    figure.set_layout_engine("none")
    width_px = round(figure.get_figwidth() * POINTS_PER_INCH)
    return Drawing(name, alt, caption, width_px, svg, make_inline(svg, name, alt), figure)


def _render_svg(figure: Figure) -> str:
    file = io.BytesIO()
    # The date and matplotlib's version would make other bytes of the same figure.
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue().decode("utf-8")


def _render_png(figure: Figure) -> bytes:
    file = io.BytesIO()
    dpi = PNG_SCALE * POINTS_PER_INCH
    figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()
