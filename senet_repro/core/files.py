"""Writing files that are either whole or absent (core floor)."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from senet_repro.core.errors import ConfigError


def write_text(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader, even after a power cut, sees the old file or the new one, never a part."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Put `data` at `path` as `write_text` does."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
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
