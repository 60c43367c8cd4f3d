"""Fixture records: what a run of the given overrides would have left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from senet_repro.config.canonical import canonical, run_key, run_name
from senet_repro.config.composition import compose
from senet_repro.results.record import Record


def make_record(
    overrides: Sequence[str], *, seed: int, top1: float, top5: float = 0.5, eval_images: int = 360
) -> Record:
    run = compose([*overrides, f"seed={seed}"])
    return Record(
        run_key=run_key(run),
        name=run_name(run),
        seed=seed,
        canonical=canonical(run),
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
