"""The legend below a figure (report floor)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def add_legend(figure: Figure, panel: Axes, columns: int) -> None:
    """Put a legend below a figure, of all that has a label in one of its panels."""
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=columns)
