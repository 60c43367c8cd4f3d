"""The record of a finished run: the only thing that tables are made from (results floor)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from senet_repro.config.identity import key_of
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_json

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
    metrics: dict[
        str, float
    ]  # of the last epoch; best_* are the best epoch's and no table's number
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
    skipped: dict[str, list[str]] = field(
        default_factory=dict
    )  # unreadable train and test images that were left out


FIELDS = tuple(each.name for each in fields(Record))


def write_record(folder: Path, record: Record) -> None:
    """Write `folder/record.json`, whole or not at all."""
    write_json(folder / RECORD, asdict(record))


def read_record(path: Path, forms: dict[str, dict[str, Any]] | None = None) -> Record:
    """The record in a file.

    `forms` are canonical forms by the keys that they are known to have: a record with one of them shares it, which
    saves a hash per seed, and one with another adds it.

    Raises:
        RecordError: the file is not JSON, misses a field, or was written by a newer senet_repro.
    """
    try:
        data = json.loads(path.read_bytes())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(
            f"{path}: not a readable record ({error}); delete it to train the run anew"
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("schema_version"), int):
        raise RecordError(f"{path}: not a record of senet_repro")
    if data["schema_version"] > SCHEMA_VERSION:
        raise RecordError(
            f"{path}: schema version {data['schema_version']} is newer than {SCHEMA_VERSION}; update senet_repro"
        )
    data.setdefault("skipped", {})  # records had none before images could be left out
    missing = [name for name in FIELDS if name not in data]
    if missing:
        raise RecordError(f"{path}: not a whole record, it lacks {', '.join(missing)}")
    if not _is_sound(data, {} if forms is None else forms):
        raise RecordError(
            f"{path}: not a record as senet_repro writes it; delete it to train the run anew"
        )
    return Record(**{name: data[name] for name in FIELDS})


def _is_sound(data: dict[str, Any], forms: dict[str, dict[str, Any]]) -> bool:
    """Whether the identity fits its key and errors and sizes are numbers: what tables rely on."""
    return (
        _is_known(data, forms)
        and all(
            isinstance(data[name], int)
            for name in ("seed", "eval_images", "params", "macs", "epochs")
        )
        and isinstance(data["config"], dict)
        and all(isinstance(data["config"].get(part), dict) for part in ("data", "recipe"))
        and isinstance(data["metrics"], dict)
        and isinstance(data["skipped"], dict)
        and all(isinstance(names, list) for names in data["skipped"].values())
        and all(_is_number(data["metrics"].get(name)) for name in ("top1_err_pct", "top5_err_pct"))
    )


def _is_known(data: dict[str, Any], forms: dict[str, dict[str, Any]]) -> bool:
    form, key = data["canonical"], data["run_key"]
    if not isinstance(form, dict) or not isinstance(key, str):
        return False
    if forms.get(key) == form or key_of(form) == key:
        data["canonical"] = forms.setdefault(key, form)
        return True
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
