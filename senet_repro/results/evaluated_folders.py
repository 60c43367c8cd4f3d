"""The folders below a results folder that may hold what was found about given weights (results floor)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from senet_repro.core.errors import ConfigError
from senet_repro.results.seed_folders import list_seed_folders

EVALUATIONS = "evaluations"
"""The folder, below the results folder, for what was found about files of weights."""

Found = TypeVar("Found")


def weights_folder(results_dir: Path, network: str, sha256: str) -> Path:
    """Return the folder for what is found about a file of weights."""
    return results_dir / EVALUATIONS / f"{network}-{sha256[:8]}"


def load_from_folders(
    results_dir: Path, file: Path, read: Callable[[Path], Sequence[Found]]
) -> tuple[list[Found], list[str]]:
    """Return all that `read` finds in the folders that have a `file`, and a message for each that cannot be read.

    `file` is relative to the folder of a run or of weights, as `read` takes it.
    """
    found: list[Found] = []
    problems = []
    for folder in _list_folders(results_dir):
        # Hardly any of thousands of runs has one, and a text takes a third of the time of a path.
        if not os.path.exists(f"{folder}/{file}"):  # noqa: PTH110
            continue
        try:
            found += read(folder)
        except ConfigError as error:
            problems.append(str(error))
    return found, problems


def _list_folders(results_dir: Path) -> list[Path]:
    weights = results_dir / EVALUATIONS
    files_of_weights = []
    if weights.is_dir():
        files_of_weights = sorted(path for path in weights.iterdir() if path.is_dir())
    return [*list_seed_folders(results_dir).paths, *files_of_weights]
