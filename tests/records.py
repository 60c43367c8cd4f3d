"""Fixture records: what a run of the given overrides would have left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache

from senet_repro.config.composition import compose
from senet_repro.config.identity import (
    build_identity,
    protocol_key,
    run_key,
    run_name,
    split_identity,
)
from senet_repro.config.paper_tables import paper_run
from senet_repro.config.schema import PaperTable, Row, Run
from senet_repro.results.record import Record


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
        task="classification",
        axes=axes,
        protocol=protocol,
        overrides=["seed=0"],
        trainer={},
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
        hardware={"device": "cpu"},
        finished_at="2026-01-01T00:00:00+00:00",
    )


def row_records(
    table: PaperTable,
    row: str,
    top1: Sequence[float],
    *overrides: str,
    eval_images: int | None = None,
) -> list[Record]:
    """A record of seeds 0, 1, ... for each error of a row, of the table or beside it; top-5 errors are the same.

    Without overrides it is trained as in the paper.
    """
    found = {**table.beside, **table.rows}[row]
    run = _changed(overrides, found) if overrides else paper_run(table, found)
    images = eval_images or run.data.eval_images
    record = record_of(run, seed=0, top1=0.0, eval_images=images)
    return [
        replace(
            record, seed=seed, metrics={"loss": 0.1, "top1_err_pct": error, "top5_err_pct": error}
        )
        for seed, error in enumerate(top1)
    ]


def _changed(overrides: tuple[str, ...], row: Row) -> Run:
    axes = dict(row.axes or {})
    model = axes.pop("model", None)
    return replace(compose_once(*overrides, *([f"model={model}"] if model else [])), **axes)


@cache
def compose_once(*overrides: str) -> Run:
    """The run of some overrides, to be read and not changed: composing takes long."""
    return compose(overrides)
