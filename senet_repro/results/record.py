"""The record of a finished run: the only thing that tables are made from (results floor)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from senet_repro.config.identity import hash_identity, join_identity, protocol_key, split_identity
from senet_repro.config.schema import DEFAULT_TASK
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_bytes, write_json
from senet_repro.results.access import explain_access
from senet_repro.results.epochs import hash_epochs, parse_last_epoch, read_epochs_file
from senet_repro.results.record_rules import find_flaw, is_number, is_too_deep
from senet_repro.results.run_folder import RunFolder

SCHEMA_VERSION = 3
"""2 keeps axes and protocol apart, and adds the overrides, the task and the trainer's settings.

3 adds the plan, the outcomes of the evaluation images and the hash of metrics.jsonl.
"""

TRAINER_SETTINGS = (
    "accumulate",
    "sync_bn",
    "compile",
    "graph",
    "precision",
    "channels_last",
    "threads",
)
"""Settings of the trainer that can decide a number; `tf32` and `deterministic` come from torch itself."""


class RecordError(ConfigError):
    """A record that cannot be read; the message names the file and why."""


class NoRecordError(RecordError):
    """A record that is not there: the run is not finished, and nothing is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything that came out of one run. Its file appears last, so its presence means that the run finished."""

    run_key: str
    protocol_key: str  # shared by runs that differ in axes and seed alone
    name: str
    seed: int
    task: str
    axes: dict[str, Any] | None  # the five axes; None for a network without SE
    protocol: dict[str, Any]  # the run's identity without its axes, see config.identity
    # Of the command that trains it alone; None if none did, and in schema 1.
    overrides: list[str] | None
    config: dict[str, Any]  # everything as resolved, paths and logger included
    trainer: dict[str, Any]  # the trainer's settings that can decide a number
    metrics: dict[str, float]  # of the last epoch; best_* are the best epoch's and in no table
    eval_images: int  # each counted exactly once
    params: int  # trainable
    macs: int  # multiply-adds of one evaluation image: convolutions, linear layers and SE pooling
    epochs: int
    wall_s: float  # training and evaluation over all attempts
    images_per_s: float  # training images, evaluation excluded
    commit: str | None
    dirty: bool | None  # tracked files differed from the commit
    versions: dict[str, str]
    hardware: dict[str, Any]
    finished_at: str  # UTC, ISO 8601
    schema_version: int = SCHEMA_VERSION
    # Unreadable training and evaluation images that were left out.
    skipped: dict[str, list[str]] = field(default_factory=dict)
    # The plan that the run was trained under: id, written_at, seeds, grows_from, tables, sha256. None if there was
    # none, and below schema 3, as the two that follow.
    plan: dict[str, Any] | None = None
    # Of outcomes.npz beside the record: sha256, images and ranks. Of detections.npz: sha256, images, objects and found.
    # None of a task that keeps neither, too.
    outcomes: dict[str, Any] | None = None
    # Of metrics.jsonl beside the record.
    metrics_sha256: str | None = None
    # Where it was read from: no part of the file, and of no concern to whether two records are equal.
    folder: Path | None = field(default=None, compare=False, repr=False)
    # Who reported it, where it was merged; None where it is ours. No part of the file either.
    origin: str | None = field(default=None, compare=False, repr=False)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The run's identity, whose hash is its key."""
        return join_identity(self.axes, self.protocol)


_OF_PLACE = ("folder", "origin")
FIELDS = tuple(each.name for each in fields(Record) if each.name not in _OF_PLACE)
"""The fields that stand in the file."""

_SAME = 1e-9
"""How far two readings of one figure may be apart, as a share of it."""


def name_training(record: Record) -> tuple[object, ...]:
    """Return what no two trainings have in common: when one ended, its duration, and the hash of its epochs."""
    return record.finished_at, record.wall_s, record.metrics_sha256


def write_record(folder: Path, record: Record) -> None:
    """Write the record into a run's folder, whole or not at all."""
    data = asdict(record)
    for name in _OF_PLACE:
        del data[name]
    write_json(RunFolder(folder).record_file, data)


def read_record(path: Path) -> Record:
    """Return the record in a file, once it was checked against its rules, its identity, and the folder it lies in.

    Raises:
        RecordError: the file is not JSON, breaks a rule, holds a wrong key, is another run's, contradicts the
            epochs in the folder, or was written by a newer senet_repro.
    """
    record = Record(**read_fields(path), folder=path.parent)
    check_keys(path, record)
    check_place(path, record)
    return record


def read_fields(path: Path) -> dict[str, Any]:
    """Return the fields of the record in a file; its keys and place are taken on trust, for callers that check them.

    Raises:
        RecordError: as `read_record`, except for a wrong key or place.
    """
    data = _read_object(path)
    if data["schema_version"] == 1:
        data = _upgrade_schema_1(data)
    if data["schema_version"] == 2:
        data = _upgrade_schema_2(data)
    missing = [name for name in FIELDS if name not in data]
    if missing:
        raise RecordError(f"{path}: not a whole record, it lacks {', '.join(missing)}")
    flaw = find_flaw(data)
    if flaw:
        raise _damaged_record(path, flaw)
    return {name: data[name] for name in FIELDS}


def _read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file that says which schema it is of."""
    data = _parse_json(path)
    if not isinstance(data, dict):
        raise RecordError(f"{path}: not a record of senet_repro")
    version = data.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise RecordError(f"{path}: not a record of senet_repro")
    if version > SCHEMA_VERSION:
        raise RecordError(
            f"{path}: schema version {version} is newer than {SCHEMA_VERSION}; update senet_repro"
        )
    return data


def _parse_json(path: Path) -> Any:
    """Return what the JSON in a record's file holds."""
    try:
        text = read_bytes(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            raise NoRecordError(f"{path} is not there") from error
        raise RecordError(explain_access(path, error)) from error
    try:
        if not is_too_deep(text):
            return json.loads(text)
        reason: object = "brackets within brackets without end"
    # Besides text that is no JSON: a whole number of thousands of digits, which Python does not read.
    except ValueError as error:
        reason = error
    raise RecordError(f"{path}: not a readable record ({reason}); delete it to train the run anew")


def check_keys(path: Path, record: Record) -> None:
    """Accept a record whose keys, task and epochs are those of its identity.

    Raises:
        RecordError: they are not.
    """
    # Identities name the task only where it is another one.
    found = {
        "run_key": hash_identity(record.identity),
        "protocol_key": protocol_key(record.protocol, record.eval_images),
        "task": record.protocol.get("task", DEFAULT_TASK),
        # A run has its record once all its epochs are trained.
        "epochs": record.protocol["recipe"]["epochs"],
    }
    for name, value in found.items():
        if getattr(record, name) != value:
            raise _damaged_record(path, f"its {name} disagrees with its settings")


def check_place(path: Path, record: Record) -> None:
    """Accept a record that is of the run whose folder it lies in, and was made from the epochs that lie there.

    A folder that is not named as runs are says nothing about the run; one without epochs is a copy of the record alone.

    Raises:
        RecordError: it is another run's, or the epochs are not those that it was made from.
    """
    folder = RunFolder(path.parent)
    owner = None
    if folder.key_start not in (None, record.run_key[:8]):
        owner = f"run {record.run_key[:8]}"
    elif folder.seed not in (None, record.seed):
        owner = f"seed {record.seed}"
    if owner:
        raise RecordError(
            f"{path}: the record of {owner}, in the folder of another; move it there, or delete it to train this run"
        )
    epochs = read_epochs_file(path.parent)
    if epochs is None:
        return
    # First what is the easier to understand, where both are wrong.
    flaw = _find_contradiction(record, parse_last_epoch(epochs))
    if flaw:
        raise _damaged_record(path, flaw)
    if record.metrics_sha256 not in (None, hash_epochs(epochs)):
        raise RecordError(
            f"{path}: damaged, since {folder.epochs_file.name} beside it is not the one that it was made from; "
            f"put that back, or delete {folder.path} to train the run anew"
        )


def _find_contradiction(record: Record, last_epoch: dict[str, Any]) -> str | None:
    """Return the metric of the record that the last epoch has otherwise; None where they agree, or share none."""
    for name, value in record.metrics.items():
        measured = last_epoch.get(name, value)
        if not is_number(measured) or not math.isclose(value, measured, rel_tol=_SAME):
            return f"its {name} is {value:g}, and {measured} in the last epoch of metrics.jsonl"
    return None


def _damaged_record(path: Path, flaw: str) -> RecordError:
    return RecordError(
        f"{path}: not a record as senet_repro writes it ({flaw}); delete it to train the run anew"
    )


def _upgrade_schema_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return a record of schema 1 in the form of schema 2; fields that it lacks stay missing."""
    upgraded = {**data, "schema_version": 2}
    # Axes and protocol in one, under an older name.
    identity = upgraded.pop("canonical", None)
    # The first records had no list of images that were left out.
    upgraded.setdefault("skipped", {})
    upgraded |= {"task": DEFAULT_TASK, "overrides": None}
    config = data.get("config")
    if isinstance(config, dict):
        upgraded["trainer"] = _pick_trainer_settings(config.get("trainer"))
    if isinstance(identity, dict) and isinstance(identity.get("se", 0), dict | None):
        axes, protocol = split_identity(identity)
        upgraded |= {"axes": axes, "protocol": protocol}
        upgraded["protocol_key"] = protocol_key(protocol, data.get("eval_images", 0))
    return upgraded


def _upgrade_schema_2(data: dict[str, Any]) -> dict[str, Any]:
    """Return a record of schema 2 in the form of schema 3: it knows no plan, and keeps nothing beside it."""
    lacking = {"plan": None, "outcomes": None, "metrics_sha256": None}
    return {**data, **lacking, "schema_version": 3}


def _pick_trainer_settings(configured: Any) -> dict[str, Any]:
    """Return the settings that an older record asked for; it did not keep those that were in force."""
    if not isinstance(configured, dict):
        return {}
    return {name: configured[name] for name in TRAINER_SETTINGS if name in configured}
