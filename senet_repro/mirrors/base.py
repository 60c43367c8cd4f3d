"""Choose the mirror of a run by the name of its logger (mirrors floor).

A new logger is a file beside this one, with a class decorated with `register_mirror`, and a file in conf/logger/.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from senet_repro.config.schema import Run
from senet_repro.results.record import Record


class Mirror:
    """Copy nothing: the base of every mirror, and the mirror of loggers that copy nothing while a run trains.

    Those are `none`, and `wandb`, whose copies are written at the end of a command. metrics.jsonl and record.json
    are written whatever the mirror.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.folder = folder

    def copy_epoch(self, metrics: dict[str, Any]) -> None:
        """Copy the metrics of an epoch; a resumed run gives those of its earlier epochs once more."""

    def copy_record(self, record: Record) -> None:
        """Copy the result of the run."""

    def close(self) -> None:
        """End the copy, whether the run is finished or not."""


_MIRRORS: dict[str, type[Mirror]] = {}


def register_mirror(logger: str) -> Callable[[type[Mirror]], type[Mirror]]:
    """Return a decorator that makes a class the mirror of a logger."""

    def register(mirror: type[Mirror]) -> type[Mirror]:
        _MIRRORS[logger] = mirror
        return mirror

    return register


def open_mirror(run: Run, folder: Path) -> Mirror:
    """Return the mirror of the run's logger, which copies what the run writes into `folder`."""
    # A module registers its mirror when it is imported.
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        import_module(f"senet_repro.mirrors.{module.name}")
    mirror = _MIRRORS.get(run.logger.name, Mirror)
    return mirror(run, folder)
