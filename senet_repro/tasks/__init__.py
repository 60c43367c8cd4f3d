"""Tasks floor: what the grid is asked about, a folder each; a folder's face imports no torch."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from senet_repro.core.errors import ConfigError
from senet_repro.training.task import Task


def list_tasks() -> list[str]:
    """Return the names of the tasks, in alphabetical order: the folders beside this file."""
    return sorted(module.name for module in iter_modules(__path__) if module.ispkg)


@cache
def find_task(name: str) -> Task:
    """Return the task of a name, without importing torch.

    Raises:
        ConfigError: there is no such task; the message lists those there are.
    """
    if name not in list_tasks():
        raise ConfigError(f"no task '{name}'; there are {', '.join(list_tasks())}")
    task: Task = import_module(f"{__name__}.{name}").TASK
    return task
