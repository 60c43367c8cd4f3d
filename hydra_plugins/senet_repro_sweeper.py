"""How Hydra finds senet_repro's sweeper: it takes plugins from this namespace alone."""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser


class GridSweeper(BasicSweeper):
    """Hydra's own sweep, of which `senet_repro.cli.application` says what is launched."""

    def sweep(self, arguments: list[str]) -> Any:
        """Launch the points of the grid that still need it, all at once; failures are the application's to tell."""
        from senet_repro.cli.application import (
            launched,  # Hydra imports plugins for other programs too
        )

        assert self.hydra_context is not None
        assert self.launcher is not None
        assert self.config is not None
        loader, master = self.hydra_context.config_loader, self.config
        parser = OverridesParser.create(config_loader=loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        (points,) = self.split_arguments(overrides, max_batch_size=None)
        launched(
            points,
            lambda point: loader.load_sweep_config(master, list(point)),
            self.launcher,
            master,
        )
