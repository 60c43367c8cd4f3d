"""Where Hydra finds senet_repro's sweeper: Hydra 1.3 takes plugins from this namespace alone.

Hydra 1.4 takes them by an entry point of the package's distribution instead; the class stays as it is.
"""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper


class GridSweeper(BasicSweeper):
    """Hydra's own sweep, whose points are counted by senet_repro and launched by `senet_repro.cli.command`."""

    def __init__(
        self,
        max_batch_size: int | None = None,
        params: dict[str, str] | None = None,
        most_points: Any = None,
    ) -> None:
        super().__init__(max_batch_size, params)
        self._most_points = most_points

    def sweep(self, arguments: list[str]) -> Any:
        """Launch the points of the grid that still need it, all at once; the command reports their failures."""
        # Hydra imports every plugin, also for programs that have nothing to do with senet_repro.
        from senet_repro.cli.train import launch_grid
        from senet_repro.config.grid import build_grid

        assert self.hydra_context is not None
        assert self.config is not None
        grid = build_grid(arguments, self.params, self._most_points)
        launch_grid(grid, self.hydra_context, self.config)
