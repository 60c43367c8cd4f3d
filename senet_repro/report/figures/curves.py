"""The errors of a row in each epoch, over its seeds (report floor)."""

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


@dataclass(frozen=True)
class Curve:
    """A metric over epochs: the mean over seeds, and their least and greatest value."""

    epochs: list[int]
    mean: list[float]
    least: list[float]
    greatest: list[float]
    n: int  # seeds


def read_curve(row: ResultRow, metric: str, folders: Folders) -> Curve | None:
    """Return a row's curve of a metric over the epochs that all of its seeds have.

    None where no folder of its runs holds the metric by epoch.
    """
    seeds = _read_seeds(row, metric, folders)
    if not seeds:
        return None
    # A mean over other seeds in other epochs would jump where a seed ends.
    shared = set(seeds[0])
    for by_epoch in seeds[1:]:
        shared &= set(by_epoch)
    epochs = sorted(shared)
    curve = Curve(epochs, mean=[], least=[], greatest=[], n=len(seeds))
    for epoch in epochs:
        values = [by_epoch[epoch] for by_epoch in seeds]
        curve.mean.append(fmean(values))
        curve.least.append(min(values))
        curve.greatest.append(max(values))
    return curve


def _read_seeds(row: ResultRow, metric: str, folders: Folders) -> list[dict[int, float]]:
    """Return for each seed of a row its metric by epoch, as far as there is a folder that holds any."""
    seeds = []
    for record in row.records:
        folder = folders.get((record.run_key, record.seed))
        if folder is None:
            continue
        by_epoch = _read_metric(folder, metric)
        if by_epoch:
            seeds.append(by_epoch)
    return seeds


def _read_metric(folder: Path, metric: str) -> dict[int, float]:
    """Return a metric by epoch; nothing from a folder without a readable file of epochs."""
    try:
        epochs: Sequence[Any] = read_epochs(folder)
    except (OSError, UnicodeDecodeError):
        return {}
    by_epoch = {}
    for epoch in epochs:
        # A folder that was moved about may hold anything in place of epochs.
        if not isinstance(epoch, dict):
            continue
        number = epoch.get("epoch")
        value = epoch.get(metric)
        if isinstance(number, int) and isinstance(value, int | float):
            by_epoch[number] = float(value)
    return by_epoch
