"""Read small files, and write files that are either whole or absent (core floor)."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from senet_repro.core.errors import ConfigError

MOST_BYTES = 64_000_000
"""The largest file that is read as a whole; those of a run that people or verbs read have some kilobytes."""


def read_bytes(path: Path) -> bytes:
    """Return the content of a regular file that is not too large.

    A pipe, a socket or a device in its place is refused at once: reading one might never end.

    Raises:
        OSError: the file is not there, is no such file, or cannot be read; its text says which.
    """
    # A file object would cost as much as the reading, and campaigns have tens of thousands of small files.
    descriptor = open_without_waiting(str(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        if found.st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, f"Larger than {MOST_BYTES / 1e6:.0f} MB", str(path))
        # A read may give less than was asked for, and the last one gives nothing.
        parts = []
        while part := os.read(descriptor, found.st_size + 1):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def read_text(path: Path) -> str:
    """Return the content of a regular file as UTF-8; raises as `read_bytes`, and UnicodeDecodeError."""
    return read_bytes(path).decode("utf-8")


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one where there is none that can be read."""
    try:
        return parse_object(read_text(path))
    except (OSError, UnicodeDecodeError):
        return {}


def read_versioned(path: Path, newest: int) -> dict[str, Any]:
    """Return the object in a JSON file of ours that names the version of its schema.

    Raises:
        ConfigError: the file holds no object, or a newer senet_repro wrote it.
    """
    found = read_object(path)
    version = found.get("schema_version")
    if isinstance(version, int) and version > newest:
        raise ConfigError(f"{path} is of a newer senet_repro: update it")
    return found


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a text is; an empty one where it is none."""
    try:
        found = json.loads(text)
    # Text that is no JSON is a ValueError, and so is a whole number of thousands of digits.
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return found


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file for `open`, as its `opener`: a pipe is not waited for until somebody opens its other end."""
    return os.open(path, flags | os.O_NONBLOCK)


def write_text(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader, even after a power cut, sees the old file or the new one, never a part."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Put `data` at `path` as `write_text` does."""
    write_file(path, lambda file: file.write(data))


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Put at `path` what `write` writes into the file that it is given, as `write_text` does.

    Raises:
        OSError: it cannot be written, or something else than a file is there, such as /dev/null.
    """
    _refuse_device(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            # On the disk before it has its name: a power cut must not leave the name of an empty file.
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        # On a full disk a part of a file would be in the way of everything else.
        temporary.unlink(missing_ok=True)
        error.filename = error.filename or str(path)
        raise
    flush_folder(path.parent)


def _refuse_device(path: Path) -> None:
    """Accept a place for a file, unless a device, a pipe or a socket is there, or a link that leads to one.

    Raises:
        OSError: one is there; a file would take its place, which on a device is everybody's loss.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        # Nothing is there, or whoever writes it says what is in the way.
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "Not a file, but a device, a pipe or the like", str(path))


def find_temporary_folder() -> Path:
    """Return this user's own folder among the machine's temporary files; it need not be there.

    Raises:
        ConfigError: no folder for temporary files can be written to.
    """
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError as error:
        raise ConfigError(
            "no folder for temporary files can be written to: give TMPDIR=DIR in the environment"
        ) from error
    return Path(folder) / f"senet_repro-{os.getuid()}"


def remove_unfinished(folder: Path) -> None:
    """Remove the partial files that killed processes left in a folder; no process may be writing there."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, such as the one that a file was just given."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, data: Any) -> None:
    """Put `data` at `path` as indented JSON, as `write_text` does; NaN and infinity are refused."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")
