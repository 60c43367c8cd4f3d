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
from senet_repro.results.store import find_seed_folders, read_status

STATES = ("done", "running", "failed", "stopped", "waiting")
NO_REASON = "no reason given"


@dataclass(frozen=True, kw_only=True)
class RunState:
    """One run: planned, under way or at its end.

    A run is `running` while a process holds its lock, on whatever machine; its status may be older than that. It
    is `stopped` if it was begun and nobody trains it: its command takes it up again, at its checkpoint if it has one.
    """

    folder: Path
    name: str
    seed: int
    state: str  # one of STATES
    table: str | None = None
    overrides: list[str] | None = None  # of the command that trains it alone, if a sweep planned it
    epoch: int = 0  # finished
    epochs: int | None = None
    epoch_share: float = 0.0  # of the epoch at hand, 0..1
    images_per_s: float | None = None
    left_s: float | None = None  # running
    wall_s: float | None = None  # done
    reason: str | None = None  # failed


def read_run_states(results_dir: Path) -> tuple[list[RunState], list[str]]:
    """Return every run, those of plans first and in their order, and a message for each plan that cannot be read."""
    planned, messages = read_plans(results_dir)
    states = [_read_state(results_dir / run.folder, run) for run in planned]
    known = {state.folder for state in states}
    for folder in find_seed_folders(results_dir):
        if folder not in known and RunFolder(folder).holds_run():
            states.append(_read_state(folder, None))
    return states, messages


def first_line(text: object) -> str:
    """Return the first line of a reason, which may have many or be missing."""
    lines = str(text or NO_REASON).splitlines()
    return lines[0] if lines else ""


def _read_state(folder: Path, planned: PlannedRun | None) -> RunState:
    """Return the state of the run in a folder; `planned` is the run in a plan, None where no plan holds it."""
    run_folder = RunFolder(folder)
    status = read_status(folder)
    known = _describe_run(folder, planned, status)

    # A record ends everything that the status may still say.
    record = _read_record(run_folder)
    if record:
        known["epochs"] = record.epochs
        return RunState(
            **known,
            state="done",
            epoch=record.epochs,
            images_per_s=record.images_per_s,
            wall_s=record.wall_s,
        )

    known["epoch"] = int(_read_number(status, "epoch"))
    known["epoch_share"] = _read_number(status, "epoch_share")
    if is_locked(folder):
        return RunState(
            **known,
            state="running",
            images_per_s=_read_number(status, "images_per_s") or None,
            left_s=_read_number(status, "left_s") or None,
        )
    if status.get("state") == "failed":
        return RunState(**known, state="failed", reason=str(status.get("reason", NO_REASON)))
    was_begun = run_folder.has_checkpoint() or status.get("state") in ("running", "stopped")
    return RunState(**known, state="stopped" if was_begun else "waiting")


def _describe_run(
    folder: Path, planned: PlannedRun | None, status: dict[str, Any]
) -> dict[str, Any]:
    """Return the fields of a RunState that do not change while the run is trained."""
    if planned:
        return {
            "folder": folder,
            "name": planned.name,
            "seed": planned.seed,
            "epochs": planned.epochs,
            "table": planned.table,
            "overrides": planned.overrides,
        }
    digits = folder.name.removeprefix("seed")
    return {
        "folder": folder,
        "name": folder.parent.name.rpartition("-")[0],
        "seed": int(digits) if digits.isdigit() else 0,
        "epochs": int(_read_number(status, "epochs")) or None,
    }


def _read_record(run_folder: RunFolder) -> Record | None:
    try:
        return read_record(run_folder.record_file)
    except RecordError:
        return None


def _read_number(status: dict[str, Any], key: str) -> float:
    """Return a number of a status; 0 for nonsense, such as a clock that went backwards leaves."""
    value = status.get(key)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return max(value, 0)
