"""All runs below a results folder, from files alone (results floor)."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from senet_repro.core.files import write_json
from senet_repro.results.record import Record, RecordError, check_keys, parse_record
from senet_repro.results.run_folder import RunFolder


@dataclass(frozen=True)
class Results:
    """What a results folder holds."""

    records: list[Record] = field(default_factory=list)
    failures: dict[tuple[str, int], str] = field(default_factory=dict)  # (run key, seed) -> reason
    unreadable: list[str] = field(default_factory=list)  # one message per file that was skipped
    folders: dict[tuple[str, int], Path] = field(
        default_factory=dict
    )  # (run key, seed) -> where its record lies


def load_results(results_dir: Path) -> Results:
    """Every record and failure below `results_dir`, in the order of their paths; nothing if there is no such folder."""
    results = Results()
    unfinished: list[Path] = []
    known: dict[str, Record] = {}
    for folder in seed_folders(results_dir):
        try:
            record = _read_shared(RunFolder(folder).record_file, known)
        except RecordError as error:
            unfinished.append(folder)
            if not isinstance(error.__cause__, FileNotFoundError):
                results.unreadable.append(str(error))
            continue
        first = results.folders.setdefault((record.run_key, record.seed), folder)
        if first is folder:
            results.records.append(record)
        else:
            results.unreadable.append(
                f"{RunFolder(folder).record_file}: the same run and seed as {RunFolder(first).record_file}"
            )
    for folder in unfinished:
        status = read_status(folder)
        if (
            status.get("state") == "failed"
            and (status["run_key"], status["seed"]) not in results.folders
        ):
            results.failures[status["run_key"], status["seed"]] = status.get(
                "reason", "no reason given"
            )
    return results


def _read_shared(path: Path, known: dict[str, Record]) -> Record:
    """Return the record in a file; seeds of one run share their identity, which is hashed once.

    `known` holds a checked record by run key, and gains this one if it is the first of its key.

    Raises:
        RecordError: as `read_record`.
    """
    record = parse_record(path)
    first = known.get(record.run_key)
    if first and _has_same_identity(first, record):
        return replace(record, axes=first.axes, protocol=first.protocol)
    check_keys(path, record)
    known.setdefault(record.run_key, record)
    return record


def _has_same_identity(first: Record, record: Record) -> bool:
    return (first.protocol_key, first.eval_images, first.axes, first.protocol) == (
        record.protocol_key,
        record.eval_images,
        record.axes,
        record.protocol,
    )


def seed_folders(results_dir: Path) -> Iterator[Path]:
    """Where a run of a seed may lie; globbing would cost as much as reading the records."""
    for run in _folders(results_dir):
        yield from (folder for folder in _folders(run) if folder.name.startswith("seed"))


def _folders(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            return [
                parent / name for name in sorted(entry.name for entry in entries if entry.is_dir())
            ]
    except OSError:
        return []


@contextmanager
def no_collection() -> Iterator[None]:
    """Let the garbage collector rest: records hold no cycles, and walks through thousands of them take time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write_status(folder: Path, *, run_key: str, seed: int, state: str, **details: Any) -> None:
    """Say in `folder/status.json` how far a run is: state is running, failed (with reason) or done."""
    write_json(
        RunFolder(folder).status_file, {"run_key": run_key, "seed": seed, "state": state, **details}
    )


def read_status(folder: Path) -> dict[str, Any]:
    """What `write_status` wrote last, or nothing."""
    try:
        status = json.loads(RunFolder(folder).status_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return {}
    return (
        status if isinstance(status, dict) and {"run_key", "seed", "state"} <= status.keys() else {}
    )
