"""How far every run of a results folder is, from files alone (results floor)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senet_repro.core.lock import is_locked
from senet_repro.results.plan import PlannedRun, read_plans
from senet_repro.results.record import Record, RecordError, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status, seed_folders

STATES = ("done", "running", "failed", "stopped", "waiting")


@dataclass(frozen=True, kw_only=True)
class RunState:
    """One run: planned, under way or at its end.

    A run is `running` while a process holds its lock, on whatever machine; its status is no more than its last word. It
    is `stopped` if it was begun and nobody trains it: its command takes it up again, at its checkpoint if it has one.
    """

    folder: Path
    name: str
    seed: int
    state: str  # one of STATES
    table: str | None = None
    overrides: list[str] | None = (
        None  # the command line that trains it alone, if a sweep planned it
    )
    epoch: int = 0  # finished
    epochs: int | None = None
    epoch_share: float = 0.0  # of the epoch at hand, 0..1
    images_per_s: float | None = None
    left_s: float | None = None  # running
    wall_s: float | None = None  # done
    reason: str | None = None  # failed


def overview(results_dir: Path) -> tuple[list[RunState], list[str]]:
    """Every run, those of plans first and in their order, and what could not be read."""
    planned, messages = read_plans(results_dir)
    found = [_state(results_dir / run.folder, run) for run in planned]
    known = {run.folder for run in found}
    others = [
        folder
        for folder in seed_folders(results_dir)
        if folder not in known and RunFolder(folder).holds_run()
    ]
    return found + [_state(folder, None) for folder in others], messages


def first_line(text: object) -> str:
    """Of a reason that may have many, or be missing."""
    return next(iter(str(text or "no reason given").splitlines()), "")


def _state(folder: Path, planned: PlannedRun | None) -> RunState:
    status = read_status(folder)
    seed = folder.name.removeprefix("seed")
    told: dict[str, Any] = {
        "folder": folder,
        "name": folder.parent.name.rpartition("-")[0],
        "seed": int(seed) if seed.isdigit() else 0,
        "epochs": int(_number(status.get("epochs"))) or None,
    }
    if planned:
        told |= {
            key: getattr(planned, key) for key in ("name", "seed", "epochs", "table", "overrides")
        }
    record = _record(folder)
    if record:
        done: dict[str, Any] = {
            "epoch": record.epochs,
            "epochs": record.epochs,
            "images_per_s": record.images_per_s,
        }
        return RunState(**{**told, **done}, state="done", wall_s=record.wall_s)
    told |= {
        "epoch": int(_number(status.get("epoch"))),
        "epoch_share": _number(status.get("epoch_share")),
    }
    if is_locked(folder):
        told |= {key: _number(status.get(key)) or None for key in ("images_per_s", "left_s")}
        return RunState(**told, state="running")
    if status.get("state") == "failed":
        return RunState(**told, state="failed", reason=str(status.get("reason", "no reason given")))
    begun = RunFolder(folder).has_checkpoint() or status.get("state") in ("running", "stopped")
    return RunState(**told, state="stopped" if begun else "waiting")


def _record(folder: Path) -> Record | None:
    try:
        return read_record(RunFolder(folder).record_file)
    except RecordError:
        return None


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and math.isfinite(value) and value >= 0 else 0
