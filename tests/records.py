"""Fixture records: what a run of the given overrides would have left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from senet_repro.config.composition import compose
from senet_repro.config.identity import (
    build_identity,
    protocol_key,
    run_key,
    run_name,
    split_identity,
)
from senet_repro.config.paper_tables import paper_run
from senet_repro.config.schema import DETECTION, RUN_SOURCE, Init, PaperTable, Row, Run
from senet_repro.results.metrics import printed_metrics
from senet_repro.results.outcomes import pack_outcomes
from senet_repro.results.record import Record
from senet_repro.tasks import find_task


def make_record(
    overrides: Sequence[str], *, seed: int, top1: float, top5: float = 0.5, eval_images: int = 360
) -> Record:
    return record_of(
        replace(compose_once(*overrides), seed=seed),
        seed=seed,
        top1=top1,
        top5=top5,
        eval_images=eval_images,
    )


def record_of(
    run: Run, *, seed: int, top1: float, top5: float = 0.5, eval_images: int = 360
) -> Record:
    """What the run would have left behind with a seed."""
    axes, protocol = split_identity(build_identity(run))
    return Record(
        run_key=run_key(run),
        protocol_key=protocol_key(protocol, eval_images),
        name=run_name(run),
        seed=seed,
        task=run.task,
        axes=axes,
        protocol=protocol,
        overrides=["seed=0"],
        trainer={
            "accumulate": run.trainer.accumulate,
            "sync_bn": False,
            "compile": run.trainer.compile,
            "precision": run.trainer.precision,
            "channels_last": run.trainer.channels_last,
            "threads": 1,
            "tf32": False,
            "deterministic": False,
        },
        config={**asdict(run), "table": run.table and run.table.name},
        metrics={"loss": 0.1, "top1_err_pct": top1, "top5_err_pct": top5},
        eval_images=eval_images,
        params=130_000,
        macs=1_100_000,
        epochs=run.recipe.epochs,
        wall_s=1.0,
        images_per_s=1000.0,
        commit="0" * 40,
        dirty=False,
        versions={"torch": "2"},
        hardware={"device": "cpu", "devices": 1, "name": "a processor", "threads": 1},
        finished_at="2026-01-01T00:00:00+00:00",
    )


def detection_record(run: Run, *, seed: int, ap: float, eval_images: int = 5000) -> Record:
    """What a run of detection would have left behind with a seed; its AP at IoU 0.5 is 20 points above the other."""
    record = record_of(run, seed=seed, top1=0.0, eval_images=eval_images)
    metrics = {"loss": 0.1, "ap_pct": ap, "ap50_pct": ap + 20}
    return replace(record, metrics=metrics)


def row_records(
    table: PaperTable,
    row: str,
    top1: Sequence[float],
    *overrides: str,
    eval_images: int | None = None,
) -> list[Record]:
    """A record of seeds 0, 1, ... for each error of a row, of the table or beside it; all printed metrics are the same.

    Without overrides it is trained as in the paper.
    """
    found = {**table.beside, **table.rows}[row]
    run = _changed(overrides, found) if overrides else paper_run(table, found)
    if run.task == DETECTION:
        run = replace(run, init=Init(weights="trunk", source=RUN_SOURCE, sha256="0" * 64))
    images = eval_images or run.data.eval_images
    record = record_of(run, seed=0, top1=0.0, eval_images=images)
    names = [metric.name for metric in printed_metrics(find_task(run.task).metrics)]
    return [
        replace(record, seed=seed, metrics={"loss": 0.1, **dict.fromkeys(names, error)})
        for seed, error in enumerate(top1)
    ]


def make_plan(
    seeds: Sequence[int],
    *,
    grows_from: int | None = None,
    tables: Sequence[str] = ("reduction_ratio",),
    written_at: str = "2025-12-31T00:00:00+00:00",
) -> dict[str, Any]:
    """A plan as a record holds it, for `replace(record, plan=...)`; it was written before any record was made."""
    return {
        "id": "0123456789ab",
        "written_at": written_at,
        "seeds": list(seeds),
        "grows_from": grows_from,
        "tables": list(tables),
        "sha256": "0" * 64,
    }


def add_outcomes(
    record: Record,
    folder: Path,
    top1_hits: Sequence[bool] | np.ndarray,
    top5_hits: Sequence[bool] | np.ndarray | None = None,
) -> Record:
    """Return the record with outcomes, written into a folder that is then the record's; its errors are theirs.

    The hits say of each evaluation image whether the network was right; without `top5_hits` all are among the first
    five. There are ten classes. `write_record(folder, record)` afterwards makes a folder that can be read again.
    """
    best = np.asarray(top1_hits, bool)
    any_of_five = np.ones_like(best) if top5_hits is None else np.asarray(top5_hits, bool) | best
    assert len(best) == record.eval_images, "a record's key holds how many images it evaluated"
    labels = np.arange(len(best)) % 10
    # The label stands first, second, or nowhere among five.
    first = np.where(best, 0, np.where(any_of_five, -1, 1))
    likeliest = (labels[:, np.newaxis] + first[:, np.newaxis] + np.arange(5)) % 10
    outcomes = pack_outcomes(labels, likeliest)
    folder.mkdir(parents=True, exist_ok=True)
    outcomes.write_into(folder)
    errors = {f"top{k}_err_pct": 100 * (1 - float(outcomes.list_hits(k).mean())) for k in (1, 5)}
    metrics = {**record.metrics, **errors}
    return replace(record, metrics=metrics, outcomes=outcomes.summarise(), folder=folder)


def _changed(overrides: tuple[str, ...], row: Row) -> Run:
    axes = dict(row.axes or {})
    model = axes.pop("model", None)
    return replace(compose_once(*overrides, *([f"model={model}"] if model else [])), **axes)


@cache
def compose_once(*overrides: str) -> Run:
    """The run of some overrides, to be read and not changed: composing takes long."""
    return compose(overrides)
