"""Tasks floor: a folder for each thing that the grid can be asked about.

A task is found by the name of its folder, whose `__init__.py` offers `TASK`, see `training.task.Task`: its metrics by
name, a module (a `TaskModule` with the task's loss and step) and the data (a `TaskData`). It imports no torch before
one of the last two is built, so that tables and verdicts need not wait for it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from senet_repro.config.validation import list_tasks
from senet_repro.core.choice import require_choice
from senet_repro.training.task import Task

__all__ = ["find_task", "list_tasks"]


@cache
def find_task(name: str) -> Task:
    """Return the task of a name, without importing torch.

    Raises:
        ConfigError: there is no such task; the message lists those there are.
    """
    require_choice("task", name, list_tasks())
    # Only the task that is asked for is imported.
    task: Task = import_module(f"{__name__}.{name}").TASK
    return task
