"""What sweeps are to train, written down before they begin, so that others see what still waits (results floor)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from senet_repro.config.identity import run_dir, run_name
from senet_repro.config.schema import Run
from senet_repro.core.files import write_json

PLANS = ".plans"
SCHEMA_VERSION = 1


class PlanError(Exception):
    """A file that is no plan, or none for this version; the message names it."""


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run that a sweep is to train."""

    folder: str  # relative to the results folder
    name: str
    seed: int
    epochs: int
    table: str | None  # it was planned for
    overrides: list[str]  # the command line that trains it alone


def planned(run: Run, overrides: Sequence[str]) -> PlannedRun:
    """How a plan names a run, which `overrides` train alone."""
    return PlannedRun(
        folder=str(run_dir(run).relative_to(run.results_dir)),
        name=run_name(run),
        seed=run.seed,
        epochs=run.recipe.epochs,
        table=run.table.name if run.table else None,
        overrides=list(overrides),
    )


def write_plan(results_dir: Path, runs: Sequence[PlannedRun]) -> Path:
    """Write a sweep's plan; the same sweep writes the same file again."""
    digest = hashlib.sha256(
        json.dumps([asdict(run) for run in runs], sort_keys=True).encode()
    ).hexdigest()
    path = results_dir / PLANS / f"{digest[:12]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, runs)
    return path


def read_plans(results_dir: Path) -> tuple[list[PlannedRun], list[str]]:
    """Every run that a sweep is to train, once, and a message per plan that cannot be read."""
    found: dict[str, PlannedRun] = {}
    messages = []
    for path in sorted((results_dir / PLANS).glob("*.json"), key=_written_at):
        try:
            runs = _read(path)
        except PlanError as error:
            messages.append(str(error))
            continue
        for run in runs:
            found.setdefault(run.folder, run)
    return list(found.values()), messages


def drop_planned(results_dir: Path, folders: Collection[str]) -> None:
    """Take the runs of these folders out of every plan that can be read."""
    for path in sorted((results_dir / PLANS).glob("*.json")):
        with suppress(PlanError):
            runs = _read(path)
            if kept := [run for run in runs if run.folder not in folders]:
                _write(path, kept)
            else:
                path.unlink()


def _write(path: Path, runs: Sequence[PlannedRun]) -> None:
    write_json(path, {"schema_version": SCHEMA_VERSION, "runs": [asdict(run) for run in runs]})


def _read(path: Path) -> list[PlannedRun]:
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        if plan["schema_version"] > SCHEMA_VERSION:
            raise PlanError(f"{path}: of a newer senet_repro; update it")
        return [_planned(point) for point in plan["runs"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PlanError(f"{path}: not a plan as senet_repro writes it") from error


def _written_at(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def _planned(point: dict[str, Any]) -> PlannedRun:
    run = PlannedRun(**{field.name: point[field.name] for field in fields(PlannedRun)})
    if not isinstance(run.folder, str) or not isinstance(run.overrides, list):
        raise TypeError(f"not a planned run: {point}")
    return run
