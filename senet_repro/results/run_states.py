"""How far every run of a results folder is, from files alone (results floor)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senet_repro.core.lock import is_locked
from senet_repro.results.access import explain_access, explain_forbidden
from senet_repro.results.plan import PlannedRun, read_plans
from senet_repro.results.record import NoRecordError, Record, RecordError, read_record
from senet_repro.results.record_rules import is_number
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.seed_folders import list_seed_folders
from senet_repro.results.store import NO_REASON, read_status

STATES = ("done", "running", "failed", "stopped", "waiting")


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
    """Return every run, those of plans first and in their order, and a message for each file that is left out.

    Such a file is a plan, a record that cannot be believed, or anything of a run that this user may not read; a run of
    which the latter is so is left out itself.
    """
    planned, messages = read_plans(results_dir)
    found = list_seed_folders(results_dir)
    messages += found.problems
    states: list[RunState] = []
    for run in planned:
        states += _read_if_allowed(results_dir / run.folder, run, messages)
    known = {results_dir / run.folder for run in planned}
    for folder in found.paths:
        if folder not in known:
            states += _read_if_allowed(folder, None, messages)
    return states, messages


def first_line(text: object) -> str:
    """Return the first line of a reason, which may have many or be missing."""
    lines = str(text or NO_REASON).splitlines()
    if not lines:
        return ""
    return lines[0]


def _read_if_allowed(
    folder: Path, planned: PlannedRun | None, messages: list[str]
) -> list[RunState]:
    """Return the state of the run in a folder, alone in a list; nothing where there is no run, or none to be read.

    A message is added for whatever cannot be read. `planned` is the run in a plan, None where no plan holds it.
    """
    run_folder = RunFolder(folder)
    forbidden = run_folder.find_forbidden()
    if forbidden:
        message = explain_forbidden(forbidden)
        # A folder that cannot be entered was named as the folders were listed.
        if message not in messages:
            messages.append(message)
        return []
    try:
        if planned or run_folder.holds_run():
            return [_read_state(folder, planned, messages)]
    except OSError as error:
        messages.append(explain_access(folder, error))
    return []


def _read_state(folder: Path, planned: PlannedRun | None, messages: list[str]) -> RunState:
    """Return the state of the run in a folder; a record that cannot be believed is named and does not count.

    Raises:
        OSError: its lock or its checkpoints cannot be read.
    """
    run_folder = RunFolder(folder)
    status = read_status(folder)
    known = _describe_run(folder, planned, status)

    # A record ends everything that the status may still say.
    record = _read_record(run_folder, messages)
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
    return {
        "folder": folder,
        "name": RunFolder(folder).name,
        "seed": RunFolder(folder).seed or 0,
        "epochs": int(_read_number(status, "epochs")) or None,
    }


def _read_record(run_folder: RunFolder, messages: list[str]) -> Record | None:
    try:
        return read_record(run_folder.record_file)
    except NoRecordError:
        return None
    except RecordError as error:
        messages.append(str(error))
        return None


def _read_number(status: dict[str, Any], key: str) -> float:
    """Return a number of a status; 0 for nonsense, such as a clock that went backwards leaves."""
    value = status.get(key)
    if not is_number(value):
        return 0.0
    return max(float(value), 0.0)
