"""Images per second of runs that trained side by side, as their epochs tell (benchmarks floor)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from senet_repro.results.epochs import read_epochs


class Paces(NamedTuple):
    """Images per second of all runs together."""

    training: float
    with_evaluation: float


def add_last_paces(results_dir: Path) -> Paces:
    """Return the paces of all runs in a results folder together, each in its last epoch: then all have begun."""
    training = with_evaluation = 0.0
    for file in sorted(results_dir.glob("*/seed*/metrics.jsonl")):
        last = read_epochs(file.parent)[-1]
        training += last["train_images"] / last["train_s"]
        with_evaluation += last["train_images"] / last["epoch_s"]
    return Paces(training, with_evaluation)
