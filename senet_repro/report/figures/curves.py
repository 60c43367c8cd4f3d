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
    epochs = sorted(set.intersection(*(set(by_epoch) for by_epoch in seeds)))
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
        by_epoch = _read_metric(folder, metric) if folder else {}
        if by_epoch:
            seeds.append(by_epoch)
    return seeds


def _read_metric(folder: Path, metric: str) -> dict[int, float]:
    """Return a metric by epoch; nothing from a folder without a readable file of epochs."""
    # A folder that was moved about may lack its epochs, or hold others in their place.
    try:
        lines: Sequence[Any] = read_epochs(folder)
    except (OSError, UnicodeDecodeError):
        return {}
    by_epoch = {}
    for line in lines:
        if not isinstance(line, dict):
            continue
        epoch, value = line.get("epoch"), line.get(metric)
        if isinstance(epoch, int) and isinstance(value, int | float):
            by_epoch[epoch] = float(value)
    return by_epoch
