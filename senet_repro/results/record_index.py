"""An index of the records below a results folder, so that tables need not read each file again (results floor).

To read and check ten thousand records takes seconds, and between two tables hardly any of them changes. The index keeps
what was read with the state that the files had: sizes, numbers on the disk and times of change, which nobody can set. A
record counts from here as long as its files are in that very state, and is read anew otherwise. So the index is never
needed: one that is missing, damaged or outdated costs time and nothing else.

Only records that were believed are in it. Whatever is in a record's way is looked at, and told, every time.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from senet_repro.config import identity
from senet_repro.config.folder_cache import is_settled
from senet_repro.core.files import read_bytes, write_bytes
from senet_repro.results.record import FIELDS, Record
from senet_repro.results.run_folder import RunFolder

INDEX_FILE = Path(".cache", "records.json")
"""Where the index lies, below the results folder."""

VERSION = 1
"""The version of the form that the file has."""

# Fewer records are read in a moment, and a small folder stays without an index.
LEAST_RECORDS = 200

# Fields that each record has for itself; the seeds of a run have all the others in common, and so has a campaign many.
_OWN = (
    "seed",
    "overrides",
    "metrics",
    "wall_s",
    "images_per_s",
    "finished_at",
    "outcomes",
    "metrics_sha256",
)
_COMMON = tuple(name for name in FIELDS if name not in _OWN)

_RECORD_NAME = RunFolder(Path()).record_file.name
_EPOCHS_NAME = RunFolder(Path()).epochs_file.name
_READABLE_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH

State = list[int]
"""Numbers that are others once a record, or the epochs beside it, were written to, moved, or closed to readers."""


@dataclass
class RecordIndex:
    """The records below a results folder as they were read last, each with the state of its files."""

    results_dir: Path
    # By the record's folder, relative to the results folder: state, number of its common fields, seed of its
    # settings, own fields.
    entries: dict[str, list[Any]] = field(default_factory=dict)
    commons: list[dict[str, Any]] = field(default_factory=list)
    # Of a newer senet_repro, which would have to write it again.
    is_newer: bool = False
    # What is to be in it from now on.
    _kept: dict[str, tuple[State, Record]] = field(default_factory=dict)
    _has_news: bool = False

    @classmethod
    def open(cls, results_dir: Path) -> RecordIndex:
        """Return the index of a results folder; an empty one where there is none that can be believed."""
        index = cls(results_dir)
        # Text that is no JSON, or JSON of another form, fails in any of these ways.
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            head, _, body = read_bytes(results_dir / INDEX_FILE).partition(b"\n")
            stated = json.loads(head)
            index.is_newer = stated["version"] > VERSION
            if stated == _describe_body(body):
                content = json.loads(body)
                index.entries, index.commons = content["entries"], content["commons"]
        return index

    def find_record(self, folder: Path, state: State | None) -> Record | None:
        """Return the record in a folder whose files are in a state; None where it was not read in that very state."""
        name = self._name(folder)
        entry = self.entries.get(name)
        if entry is None or state is None or entry[0] != state:
            return None
        _, number, seed, own = entry
        fields = dict(self.commons[number])
        if seed is not None:
            fields["config"] = {**fields["config"], "seed": seed}
        fields.update(zip(_OWN, own, strict=True))
        record = Record(**fields, folder=folder)
        self._kept[name] = (state, record)
        return record

    def keep_record(self, folder: Path, state: State | None, record: Record) -> None:
        """Keep a record that was read and believed; `state` is that of its files before they were read."""
        if state is not None and _is_old(state):
            self._kept[self._name(folder)] = (state, record)
            self._has_news = True

    def save(self) -> None:
        """Write the index if it is not as it was; where that cannot be, the next table takes longer."""
        lost = self.entries.keys() - self._kept.keys()
        is_worth_it = len(self._kept) >= LEAST_RECORDS and not self.is_newer
        if not is_worth_it or not (self._has_news or lost):
            return
        body = _write_body(self._kept)
        head = json.dumps(_describe_body(body)).encode()
        with suppress(OSError):
            file = self.results_dir / INDEX_FILE
            file.parent.mkdir(exist_ok=True)
            write_bytes(file, head + b"\n" + body)

    def _name(self, folder: Path) -> str:
        # Slicing the text takes a tenth of the time of asking the path.
        return str(folder)[len(str(self.results_dir)) + 1 :]


def find_state(folder: Path) -> State | None:
    """Return the state of the files that the record in a folder is read from; None where one of them is in the way."""
    try:
        state = _read_file_state(f"{folder}/{_RECORD_NAME}")
        # A record that was copied alone stays a record.
        with suppress(FileNotFoundError):
            state += _read_file_state(f"{folder}/{_EPOCHS_NAME}")
    except OSError:
        return None
    return state


def _read_file_state(path: str) -> State:
    """Return the state of a file.

    Raises:
        OSError: it is not there, is no file, or this user may not read it, whoever wrote the index.
    """
    found = os.stat(path)  # noqa: PTH116 (half the time of a Path's)
    mode = found.st_mode
    is_open = mode & _READABLE_BY_ALL == _READABLE_BY_ALL or os.access(path, os.R_OK)
    if not is_open or not stat.S_ISREG(mode):
        raise PermissionError(path)
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _is_old(state: State) -> bool:
    """Return whether each file was changed so long ago that a further change would show in its state."""
    times_of_change = state[3::4]
    return all(map(is_settled, times_of_change))


class SharedParts:
    """Parts of records, each once: the seeds of a run have settings, versions and hardware in common."""

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}

    def share_fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a record, in which parts that another record has too are the same objects."""
        shared = {name: self._share(value) for name, value in fields.items()}
        # The seed stands in the settings too, so that only their parts are the same.
        shared["config"] = {key: self._share(value) for key, value in fields["config"].items()}
        return shared

    def _share(self, value: Any) -> Any:
        if not isinstance(value, dict | list):
            return value
        return self._known.setdefault(_take_apart(value), value)


def _take_apart(value: Any) -> bytes:
    """Return bytes that are the same for the same JSON data, in which 1, 1.0 and true are three things."""
    # Version 2, since later ones write down which objects are one.
    return marshal.dumps(value, 2)


def _write_body(kept: Mapping[str, tuple[State, Record]]) -> bytes:
    """Return the records and their states as JSON, the common fields of several records once."""
    entries: dict[str, list[Any]] = {}
    commons: list[dict[str, Any]] = []
    numbers: dict[bytes, int] = {}
    for name, (state, record) in kept.items():
        common = {field: getattr(record, field) for field in _COMMON}
        seed = record.config.get("seed")
        if seed is not None:
            common["config"] = {**record.config, "seed": None}
        number = numbers.setdefault(_take_apart(common), len(commons))
        if number == len(commons):
            commons.append(common)
        own = [getattr(record, field) for field in _OWN]
        entries[name] = [state, number, seed, own]
    content = {"commons": commons, "entries": entries}
    return json.dumps(content, separators=(",", ":")).encode()


def _describe_body(body: bytes) -> dict[str, Any]:
    """Return the first line of an index: the form of the file, the code that believed its records, and its hash."""
    return {
        "version": VERSION,
        "code": _hash_code(),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


@lru_cache(maxsize=1)
def _hash_code() -> str:
    """Return the hash of the code that reads and checks records: other code may believe others."""
    return _hash_files([*Path(__file__).parent.glob("*.py"), Path(identity.__file__)])


def _hash_files(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()
