"""Where Hydra finds senet_repro's sweeper: Hydra 1.3 takes plugins from this namespace alone.

Hydra 1.4 takes them by an entry point of the package's distribution instead; the class stays as it is.
"""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser


class GridSweeper(BasicSweeper):
    """Hydra's own sweep, whose points are launched by `senet_repro.cli.command`."""

    def sweep(self, arguments: list[str]) -> Any:
        """Launch the points of the grid that still need it, all at once; the command reports their failures."""
        # Hydra imports every plugin, also for programs that have nothing to do with senet_repro.
        from senet_repro.cli.train import launch_grid

        assert self.hydra_context is not None
        assert self.launcher is not None
        assert self.config is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        (grid,) = self.split_arguments(overrides, max_batch_size=None)
        launch_grid(grid, self.launcher, self.hydra_context, self.config)
