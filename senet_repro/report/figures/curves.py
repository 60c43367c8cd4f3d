"""Learning curves: what the seeds of a row have in each epoch (report floor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from senet_repro.report.tables.build import ResultRow
from senet_repro.results.epochs import read_epochs

Folders = Mapping[tuple[str, int], Path]
"""(run key, seed) -> the folder of its record."""

TRAIN, VALIDATION = "train_top1_err_pct", "top1_err_pct"


@dataclass(frozen=True)
class Curve:
    """A figure over epochs: the mean over seeds, and their least and greatest."""

    epochs: list[int]
    mean: list[float]
    least: list[float]
    greatest: list[float]
    n: int  # seeds


def curve(row: ResultRow, metric: str, folders: Folders) -> Curve | None:
    """A row's curve over the epochs that all its seeds have; none where no run says its epochs."""
    seeds = [_values(folders[run], metric) for run in _runs(row) if run in folders]
    seeds = [values for values in seeds if values]
    if not seeds:
        return None
    epochs = sorted(set.intersection(*(set(values) for values in seeds)))
    columns: Sequence[list[float]] = [[values[epoch] for values in seeds] for epoch in epochs]
    return Curve(
        epochs, [*map(fmean, columns)], [*map(min, columns)], [*map(max, columns)], len(seeds)
    )


def _runs(row: ResultRow) -> list[tuple[str, int]]:
    return [(record.run_key, record.seed) for record in row.records]


def _values(folder: Path, metric: str) -> dict[int, float]:
    """A metric by epoch; a folder that was moved about may lack its epochs, or have others' in their place."""
    try:
        epochs: list[Any] = read_epochs(folder)
    except (OSError, UnicodeDecodeError):
        return {}
    return {
        epoch["epoch"]: float(epoch[metric])
        for epoch in epochs
        if isinstance(epoch, dict)
        and isinstance(epoch.get("epoch"), int)
        and isinstance(epoch.get(metric), int | float)
    }
