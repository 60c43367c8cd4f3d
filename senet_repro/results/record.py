"""The record of a finished run: the only thing that tables are made from (results floor)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from senet_repro.config.identity import hash_identity, join_identity, protocol_key, split_identity
from senet_repro.config.schema import DEFAULT_TASK
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_json
from senet_repro.results.run_folder import RunFolder

SCHEMA_VERSION = 2
"""2 keeps axes and protocol apart, and adds the overrides, the task and the trainer's settings."""

TRAINER_SETTINGS = ("accumulate", "sync_bn", "compile", "precision", "channels_last", "threads")
"""Settings of the trainer that can decide a number; `tf32` and `deterministic` come from torch itself."""


class RecordError(ConfigError):
    """A record that cannot be read; the message names the file and why."""


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
    overrides: (
        list[str] | None
    )  # of the command that trains it alone; None if none did, and in schema 1
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

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The run's identity, whose hash is its key."""
        return join_identity(self.axes, self.protocol)


FIELDS = tuple(each.name for each in fields(Record))
_INTEGERS = ("seed", "eval_images", "params", "macs", "epochs")


def write_record(folder: Path, record: Record) -> None:
    """Write the record into a run's folder, whole or not at all."""
    write_json(RunFolder(folder).record_file, asdict(record))


def read_record(path: Path) -> Record:
    """Return the record in a file, after its keys were checked against its identity.

    Raises:
        RecordError: the file is not JSON, lacks a field, holds a wrong key or was written by a newer senet_repro.
    """
    record = parse_record(path)
    check_keys(path, record)
    return record


def parse_record(path: Path) -> Record:
    """Return the record in a file; its keys are taken on trust, for callers that know them already.

    Raises:
        RecordError: as `read_record`, except for a wrong key.
    """
    data = _read_fields(path)
    if data["schema_version"] == 1:
        data = _upgrade_schema_1(data)
    missing = [name for name in FIELDS if name not in data]
    if missing:
        raise RecordError(f"{path}: not a whole record, it lacks {', '.join(missing)}")
    if not _has_sound_types(data):
        raise _damaged_record(path)
    return Record(**{name: data[name] for name in FIELDS})


def _read_fields(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file that says which schema it is of."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise RecordError(
            f"{path}: not a readable record ({error}); delete it to train the run anew"
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("schema_version"), int):
        raise RecordError(f"{path}: not a record of senet_repro")
    version = data["schema_version"]
    if version > SCHEMA_VERSION:
        raise RecordError(
            f"{path}: schema version {version} is newer than {SCHEMA_VERSION}; update senet_repro"
        )
    return data


def check_keys(path: Path, record: Record) -> None:
    """Accept a record whose keys and task are those of its identity.

    Raises:
        RecordError: they are not.
    """
    try:
        run_key = hash_identity(record.identity)
        shared_key = protocol_key(record.protocol, record.eval_images)
    except (KeyError, TypeError) as error:
        raise _damaged_record(path) from error
    # Identities name the task only where it is another one.
    task = record.protocol.get("task", DEFAULT_TASK)
    if (record.run_key, record.protocol_key, record.task) != (run_key, shared_key, task):
        raise _damaged_record(path)


def _damaged_record(path: Path) -> RecordError:
    return RecordError(
        f"{path}: not a record as senet_repro writes it; delete it to train the run anew"
    )


def _upgrade_schema_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return a record of schema 1 in the form of schema 2; fields that it lacks stay missing."""
    upgraded = {**data, "schema_version": SCHEMA_VERSION}
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


def _pick_trainer_settings(configured: Any) -> dict[str, Any]:
    """Return the settings that an older record asked for; it did not keep those that were in force."""
    if not isinstance(configured, dict):
        return {}
    return {name: configured[name] for name in TRAINER_SETTINGS if name in configured}


def _has_sound_types(data: Mapping[str, Any]) -> bool:
    """Return whether everything that tables rely on is of its type."""
    texts = ("run_key", "protocol_key", "name", "task")
    if not all(isinstance(data[name], str) for name in texts):
        return False
    if not all(isinstance(data[name], int) for name in _INTEGERS):
        return False
    if not all(_is_finite(data[name]) for name in ("wall_s", "images_per_s")):
        return False
    if not isinstance(data["commit"], str | None) or not isinstance(data["dirty"], bool | None):
        return False
    parts = ("protocol", "config", "trainer", "metrics", "versions", "hardware", "skipped")
    if not all(isinstance(data[name], dict) for name in parts):
        return False
    if not isinstance(data["axes"], dict | None) or not isinstance(data["overrides"], list | None):
        return False
    if not all(isinstance(data["config"].get(part), dict) for part in ("data", "recipe")):
        return False
    if not all(isinstance(names, list) for names in data["skipped"].values()):
        return False
    return bool(data["metrics"]) and all(map(_is_finite, data["metrics"].values()))


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
