"""The plans of sweeps, written before the first run, so that others see the pending runs (results floor)."""

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
from senet_repro.core.files import read_text, write_json
from senet_repro.results.access import explain_access
from senet_repro.results.record_rules import are_texts, is_count, is_name

PLANS = ".plans"
"""The folder of the plans, below the results folder."""

SCHEMA_VERSION = 1


class PlanError(Exception):
    """A file that is no plan, or none for this version; the message names it."""


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run that a sweep is going to train."""

    folder: str  # relative to the results folder
    name: str
    seed: int
    epochs: int
    table: str | None  # the table that it was planned for
    overrides: list[str]  # of the command that trains it alone


def plan_run(run: Run, overrides: Sequence[str]) -> PlannedRun:
    """Return a run as a plan holds it; `overrides` are those of the command that trains it alone."""
    return PlannedRun(
        folder=str(run_dir(run).relative_to(run.results_dir)),
        name=run_name(run),
        seed=run.seed,
        epochs=run.recipe.epochs,
        table=run.table.name if run.table else None,
        overrides=list(overrides),
    )


def write_plan(results_dir: Path, runs: Sequence[PlannedRun]) -> Path:
    """Write a sweep's plan and return its file; the same sweep writes the same file again."""
    # Named by its content, so that a sweep which is begun again adds no second plan.
    content = json.dumps([asdict(run) for run in runs], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    path = results_dir / PLANS / f"{digest[:12]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_runs(path, runs)
    return path


def read_plans(results_dir: Path) -> tuple[list[PlannedRun], list[str]]:
    """Return every run that a sweep is going to train, once, and a message per plan that cannot be read."""
    found: dict[str, PlannedRun] = {}
    messages = []
    for path in sorted(_find_plans(results_dir), key=_order_by_age):
        try:
            runs = _read_runs(path)
        except PlanError as error:
            messages.append(str(error))
            continue
        for run in runs:
            # The oldest plan of a run decides where it stands.
            found.setdefault(run.folder, run)
    return list(found.values()), messages


def drop_planned(results_dir: Path, folders: Collection[str]) -> None:
    """Remove the runs of these folders from every plan that can be read, and plans of no other runs."""
    for path in _find_plans(results_dir):
        # A plan of a newer version may hold more than this one knows, so it stays as it is.
        with suppress(PlanError):
            kept = [run for run in _read_runs(path) if run.folder not in folders]
            if kept:
                _write_runs(path, kept)
            else:
                path.unlink()


def _find_plans(results_dir: Path) -> list[Path]:
    try:
        return sorted((results_dir / PLANS).glob("*.json"))
    # Whoever may not look into the folder sees no plans.
    except OSError:
        return []


def _order_by_age(path: Path) -> tuple[int, str]:
    # Of the link itself, which may lead nowhere.
    return path.lstat().st_mtime_ns, path.name


def _write_runs(path: Path, runs: Sequence[PlannedRun]) -> None:
    write_json(path, {"schema_version": SCHEMA_VERSION, "runs": [asdict(run) for run in runs]})


def _read_runs(path: Path) -> list[PlannedRun]:
    try:
        plan = json.loads(read_text(path))
        if plan["schema_version"] > SCHEMA_VERSION:
            raise PlanError(f"{path}: of a newer senet_repro; update it")
        return [_parse_run(point) for point in plan["runs"]]
    except OSError as error:
        raise PlanError(explain_access(path, error)) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PlanError(f"{path}: not a plan as senet_repro writes it") from error


def _parse_run(point: dict[str, Any]) -> PlannedRun:
    run = PlannedRun(**{field.name: point[field.name] for field in fields(PlannedRun)})
    names = (run.folder, run.name, run.table or "none")
    numbers = (run.seed, run.epochs)
    is_sound = all(map(is_name, names)) and all(map(is_count, numbers))
    if not is_sound or not are_texts(run.overrides) or not _is_below(run.folder):
        raise TypeError("not a planned run")
    return run


def _is_below(folder: str) -> bool:
    """Return whether a run's folder lies below the results folder, as all do."""
    path = Path(folder)
    return not path.is_absolute() and ".." not in path.parts
