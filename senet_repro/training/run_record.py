"""The record of a run that has just been trained (training floor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pytorch_lightning as pl

from senet_repro.config.identity import (
    build_identity,
    protocol_key,
    run_key,
    run_name,
    split_identity,
)
from senet_repro.config.schema import Run
from senet_repro.core.checkout import read_commit
from senet_repro.core.errors import ConfigError
from senet_repro.results.epochs import hash_epochs, keep_metrics, read_epochs
from senet_repro.results.metrics import Metric, printed_metrics
from senet_repro.results.outcomes import find_disagreement
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.surroundings import (
    describe_hardware,
    list_versions,
    trainer_settings,
)
from senet_repro.training.task import KeptOutcomes, Task
from senet_repro.training.task_module import TaskData


@dataclass(frozen=True)
class NetworkSize:
    """How large the network of a run is."""

    params: int  # trainable
    macs: int  # multiply-adds of one evaluation image


def build_record(
    run: Run,
    task: Task,
    folder: RunFolder,
    overrides: Sequence[str] | None,
    size: NetworkSize,
    data: TaskData,
    trainer: pl.Trainer,
    plan: Mapping[str, Any] | None = None,
) -> Record:
    """Return the record of a run whose last epoch has ended, as `fit` trained it."""
    epochs = read_epochs(folder.path)
    if [epoch["epoch"] for epoch in epochs] != list(range(1, run.recipe.epochs + 1)):
        raise RuntimeError(
            f"{folder.epochs_file} does not hold epochs 1 to {run.recipe.epochs} once each"
        )
    outcomes = read_outcomes_of(folder, epochs[-1], task)
    axes, protocol = split_identity(build_identity(run))
    train_images = sum(epoch["train_images"] for epoch in epochs)
    train_s = sum(epoch["train_s"] for epoch in epochs)
    epochs_s = sum(epoch["epoch_s"] for epoch in epochs)
    commit = read_commit()
    return Record(
        run_key=run_key(run),
        protocol_key=protocol_key(protocol, data.num_eval_images),
        name=run_name(run),
        seed=run.seed,
        task=run.task,
        axes=axes,
        protocol=protocol,
        overrides=None if overrides is None else list(overrides),
        # A table is its YAML file, and its name finds it again.
        config={**asdict(run), "table": run.table and run.table.name},
        trainer=trainer_settings(run, trainer),
        metrics=collect_metrics(epochs, task.metrics),
        eval_images=data.num_eval_images,
        skipped=data.skipped,
        plan=None if plan is None else dict(plan),
        outcomes=outcomes.summary if outcomes else None,
        metrics_sha256=hash_epochs(folder.epochs_file.read_bytes()),
        params=size.params,
        macs=size.macs,
        epochs=len(epochs),
        wall_s=round(epochs_s, 3),
        images_per_s=round(train_images / train_s, 1),
        commit=commit.revision,
        dirty=commit.dirty,
        versions=list_versions(run.task),
        hardware=describe_hardware(trainer),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def read_outcomes_of(
    folder: RunFolder, epoch: Mapping[str, Any], task: Task
) -> KeptOutcomes | None:
    """Return the outcomes that the last epoch left in a folder; None of a task that keeps none.

    Raises:
        ConfigError: the file is damaged, or the metrics that follow from it are not those of the epoch.
    """
    outcomes = task.read_outcomes(folder)
    if outcomes is None:
        return None
    disagreement = find_disagreement(outcomes.measured, epoch)
    if disagreement is not None:
        name, measured = disagreement
        raise ConfigError(
            f"{outcomes.file} has a {name} of {measured:g}, and the last epoch of "
            f"{folder.epochs_file.name} {epoch[name]:g}; delete {folder.path} to train the run anew"
        )
    return outcomes


def collect_metrics(
    epochs: Sequence[dict[str, Any]], metrics: Sequence[Metric]
) -> dict[str, float]:
    """Return every metric of the last epoch, and the printed ones of the best epoch under the name best_<name>."""
    printed = printed_metrics(metrics)
    best = find_best_epoch(epochs, printed)
    best_values = {f"best_{metric.name}": best[metric.name] for metric in printed}
    return {**keep_metrics(epochs[-1]), **best_values}


def find_best_epoch(epochs: Sequence[dict[str, Any]], metrics: Sequence[Metric]) -> dict[str, Any]:
    """Return the epoch that is best in the first metric; ties go by the next metric, and then to the first epoch.

    Epochs whose evaluation overflowed have no figures, and are not the best.
    """
    names = [metric.name for metric in metrics]

    def rank_epoch(epoch: dict[str, Any]) -> list[float]:
        return [
            epoch[metric.name] if metric.better == "lower" else -epoch[metric.name]
            for metric in metrics
        ]

    evaluated = [epoch for epoch in epochs if None not in map(epoch.get, names)]
    return min(evaluated, key=rank_epoch)
