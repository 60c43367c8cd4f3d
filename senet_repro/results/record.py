"""The record of a finished run: the only thing that tables are made from (results floor)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from senet_repro.config.canonical import key_of
from senet_repro.config.schema import ConfigError
from senet_repro.results.files import write_json

SCHEMA_VERSION = 1
RECORD = "record.json"


class RecordError(ConfigError):
    """A record that cannot be read; the message names the file and why."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What came out of one run. Its file appears last, so its presence means that the run finished."""

    run_key: str
    name: str
    seed: int
    canonical: dict[str, Any]  # the run's identity, see config.canonical
    config: dict[str, Any]  # everything as resolved, paths and logger included
    metrics: dict[str, float]  # of the last epoch; best_* are the best epoch's and no table's number
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


def write_record(folder: Path, record: Record) -> None:
    """Write `folder/record.json`, whole or not at all."""
    write_json(folder / RECORD, asdict(record))


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        RecordError: the file is not JSON, misses a field, or was written by a newer senet_repro.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path}: not a readable record ({error}); delete it to train the run anew") from error
    if not isinstance(data, dict) or not isinstance(data.get("schema_version"), int):
        raise RecordError(f"{path}: not a record of senet_repro")
    if data["schema_version"] > SCHEMA_VERSION:
        raise RecordError(
            f"{path}: schema version {data['schema_version']} is newer than {SCHEMA_VERSION}; update senet_repro"
        )
    missing = [field.name for field in fields(Record) if field.name not in data]
    if missing:
        raise RecordError(f"{path}: not a whole record, it lacks {', '.join(missing)}")
    record = Record(**{field.name: data[field.name] for field in fields(Record)})
    if not _is_sound(record):
        raise RecordError(f"{path}: not a record as senet_repro writes it; delete it to train the run anew")
    return record


def _is_sound(record: Record) -> bool:
    """Whether the identity fits its key and the errors are numbers: what tables rely on."""
    return (
        isinstance(record.canonical, dict)
        and key_of(record.canonical) == record.run_key
        and isinstance(record.seed, int)
        and isinstance(record.config, dict)
        and isinstance(record.metrics, dict)
        and all(isinstance(record.metrics.get(name), int | float) for name in ("top1_err_pct", "top5_err_pct"))
    )
