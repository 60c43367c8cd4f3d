"""All runs below a results folder, from files alone (results floor)."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from senet_repro.core.files import read_object, write_json
from senet_repro.results.access import explain_forbidden
from senet_repro.results.campaign import Campaign, read_campaign
from senet_repro.results.record import (
    NoRecordError,
    Record,
    RecordError,
    check_keys,
    check_place,
    read_fields,
)
from senet_repro.results.record_index import RecordIndex, SharedParts, find_state
from senet_repro.results.record_rules import is_count
from senet_repro.results.reported import (
    ReportedRun,
    name_run_folder,
    read_reported_records,
    sort_reported,
)
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.seed_folders import list_seed_folders

# Fields that make the identity of a record and its keys.
_IDENTIFYING = ("protocol_key", "eval_images", "task", "axes", "protocol")
NO_REASON = "no reason given"
_STATUS_KEYS = {"run_key", "seed", "state"}


@dataclass(frozen=True)
class Results:
    """Everything that a results folder holds; runs are found by (run key, seed)."""

    records: list[Record] = field(default_factory=list)
    failures: dict[tuple[str, int], str] = field(default_factory=dict)  # the reason of each
    unreadable: list[str] = field(default_factory=list)  # one message per file that was skipped
    folders: dict[tuple[str, int], Path] = field(default_factory=dict)  # of the runs with records
    campaign: Campaign | None = None  # the plan that lies in the folder itself
    # All that others reported; those that count stand among the records, too.
    reported: list[ReportedRun] = field(default_factory=list)


def load_results(results_dir: Path, *, only_ours: bool = False) -> Results:
    """Return every record and failure below `results_dir`, in the order of their paths.

    There is nothing in a folder that does not exist. Whatever cannot be read or believed is named and left out. Records
    that others reported come last; with `only_ours` there are none.

    Raises:
        ConfigError: the campaign's plan is damaged: without it nobody could tell which runs count.
    """
    found = list_seed_folders(results_dir)
    results = Results(unreadable=list(found.problems), campaign=read_campaign(results_dir))
    without_record: list[Path] = []
    reader = _RecordReader(RecordIndex.open(results_dir))
    for folder in found.paths:
        path = RunFolder(folder).record_file
        try:
            record = reader.read_record(folder)
        except NoRecordError:
            without_record.append(folder)
            continue
        except RecordError as error:
            without_record.append(folder)
            forbidden = RunFolder(folder).find_forbidden()
            # The folder that is closed, where it is not the record itself.
            results.unreadable.append(explain_forbidden(forbidden) if forbidden else str(error))
            continue
        first = results.folders.setdefault((record.run_key, record.seed), folder)
        if first is folder:
            results.records.append(record)
        else:
            other = RunFolder(first).record_file
            results.unreadable.append(f"{path}: the same run and seed as {other}")
    # Only now is every record known, and a failure whose run was trained since is none.
    for folder in without_record:
        _add_failure(results, folder)
    if not only_ours:
        _add_reported(results, results_dir, reader)
    reader.index.save()
    return results


def _add_reported(results: Results, results_dir: Path, reader: _RecordReader) -> None:
    """Add the records that others reported, and what each is to the campaign."""
    found = read_reported_records(results_dir, reader.read_record)
    ours = {(record.run_key, record.seed): record for record in results.records}
    diverged = list_diverged(results, found.records, results_dir)
    runs, problems = sort_reported(found.records, ours, results.campaign, diverged)
    results.unreadable.extend([*found.problems, *problems])
    results.reported.extend(runs)
    for run in runs:
        if run.counts and run.record.folder is not None:
            results.records.append(run.record)
            results.folders[run.record.run_key, run.record.seed] = run.record.folder


def list_diverged(
    results: Results, reported: Iterable[Record], results_dir: Path
) -> set[tuple[str, int]]:
    """Return the runs among some reported ones that diverged here."""
    diverged = set()
    for record in reported:
        run = (record.run_key, record.seed)
        own = results_dir / name_run_folder(record) / f"seed{record.seed}"
        if run in results.failures and read_status(own).get("diverged") is True:
            diverged.add(run)
    return diverged


def _add_failure(results: Results, folder: Path) -> None:
    """Add the run in a folder to the failures, if its status tells of one and no record lies elsewhere."""
    forbidden = RunFolder(folder).find_forbidden()
    if forbidden:
        message = explain_forbidden(forbidden)
        # The record itself may be what cannot be read, and was named then.
        if message not in results.unreadable:
            results.unreadable.append(message)
        return
    status = read_status(folder)
    if status.get("state") != "failed":
        return
    run = (status["run_key"], status["seed"])
    if run not in results.folders:
        results.failures[run] = str(status.get("reason", NO_REASON))


@dataclass
class _RecordReader:
    """Reads the records of a results folder, those from the index that are as they were."""

    index: RecordIndex
    # A checked record by run key.
    known: dict[str, Record] = field(default_factory=dict)
    parts: SharedParts = field(default_factory=SharedParts)

    def read_record(self, folder: Path) -> Record:
        """Return the record in a folder.

        Raises:
            RecordError: as `results.record.read_record`.
        """
        state = find_state(folder)
        record = self.index.find_record(folder, state)
        if record is None:
            record = self._read_file(RunFolder(folder).record_file)
            self.index.keep_record(folder, state, record)
        return record

    def _read_file(self, path: Path) -> Record:
        """Return the record in a file; seeds of one run share their identity, which is hashed once."""
        fields = self.parts.share_fields(read_fields(path))
        record = Record(**fields, folder=path.parent)
        # Hashing costs as much as all the rest, and a campaign has many seeds of each run.
        first = self.known.get(record.run_key)
        if first is None or not _have_same_identity(first, record):
            check_keys(path, record)
            self.known.setdefault(record.run_key, record)
        check_place(path, record)
        return record


def _have_same_identity(one: Record, other: Record) -> bool:
    """Return whether two records agree in all that makes their keys; equal parts of records are the same objects."""
    return all(getattr(one, name) == getattr(other, name) for name in _IDENTIFYING)


@contextmanager
def pause_collection() -> Iterator[None]:
    """Let the garbage collector rest: records hold no cycles, and walks through thousands of them take time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write_status(folder: Path, *, run_key: str, seed: int, state: str, **details: Any) -> None:
    """Write into the folder how far its run is: `state` is running, stopped, failed (with reason) or done."""
    status = {"run_key": run_key, "seed": seed, "state": state, **details}
    write_json(RunFolder(folder).status_file, status)


def read_status(folder: Path) -> dict[str, Any]:
    """Return the status that was written last, or nothing where there is none that can be read."""
    status = read_object(RunFolder(folder).status_file)
    if not status.keys() >= _STATUS_KEYS:
        return {}
    is_sound = isinstance(status["run_key"], str) and is_count(status["seed"])
    return status if is_sound and isinstance(status["state"], str) else {}
