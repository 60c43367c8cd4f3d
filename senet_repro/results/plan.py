"""What sweeps are to train, written down before they begin, so that others see what still waits (results floor)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from senet_repro.config.files import write_json

PLANS = ".plans"
SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run that a sweep is to train."""

    folder: str  # relative to the results folder
    name: str
    seed: int
    epochs: int
    table: str | None  # it was planned for
    overrides: list[str]  # the command line that trains it alone


def write_plan(results_dir: Path, runs: Sequence[PlannedRun]) -> Path:
    """Write a sweep's plan; the same sweep writes the same file again."""
    points = [asdict(run) for run in runs]
    digest = hashlib.sha256(json.dumps(points, sort_keys=True).encode()).hexdigest()
    path = results_dir / PLANS / f"{digest[:12]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"schema_version": SCHEMA_VERSION, "runs": points})
    return path


def read_plans(results_dir: Path) -> tuple[list[PlannedRun], list[str]]:
    """Every run that a sweep is to train, once, and a message per plan that cannot be read."""
    found: dict[str, PlannedRun] = {}
    messages = []
    for path in sorted((results_dir / PLANS).glob("*.json"), key=_written_at):
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
            if plan["schema_version"] > SCHEMA_VERSION:
                messages.append(f"{path}: of a newer senet_repro; update it")
                continue
            runs = [_planned(point) for point in plan["runs"]]
        except (OSError, ValueError, TypeError, KeyError):
            messages.append(f"{path}: not a plan as senet_repro writes it")
            continue
        for run in runs:
            found.setdefault(run.folder, run)
    return list(found.values()), messages


def _written_at(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def _planned(point: dict[str, Any]) -> PlannedRun:
    run = PlannedRun(**{field.name: point[field.name] for field in fields(PlannedRun)})
    if not isinstance(run.folder, str) or not isinstance(run.overrides, list):
        raise TypeError(f"not a planned run: {point}")
    return run
