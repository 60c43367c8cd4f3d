"""The legend below a figure (report floor)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def add_legend(figure: Figure, panels: Iterable[Axes], columns: int) -> None:
    """Put a legend below a figure, of all that has a label in one of its panels, each label once."""
    samples: dict[str, Artist] = {}
    for panel in panels:
        for sample, label in zip(*panel.get_legend_handles_labels(), strict=True):
            samples.setdefault(label, sample)
    handles, labels = list(samples.values()), list(samples)
    figure.legend(handles, labels, loc="outside lower left", ncols=columns)
