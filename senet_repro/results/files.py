"""Writing files that are either whole or absent, and one process at a time per folder (results floor)."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO


def write_text(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader, even after a power cut, sees the old file or the new one, never a part."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Put `data` at `path` as `write_text` does."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:  # a full disk is the fuller for a part of a file
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    flush_folder(path.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed in `write_bytes` left in a folder; nobody may be writing there."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, such as one that a file was just given."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, data: Any) -> None:
    """Put `data` at `path` as indented JSON, as `write_text` does; NaN and infinity are refused."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


@contextmanager
def locked(folder: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the folder's lock, waiting for another process that holds it.

    `say` is told whom it waits for, and of a holder that died without giving the lock back. Yields the lock's file
    descriptor: a child process that inherits it holds the lock too, for as long as it lives. The kernel drops the lock
    when the last of them dies, so none can stay behind.
    """
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        if not _try_lock(file):
            say(f"waiting for {_holder(file) or 'another process'}, which trains {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        elif holder := _holder(file):
            say(f"{holder} died while it trained {folder}; taking over")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield file.fileno()
        finally:
            file.truncate(0)


def is_locked(folder: Path) -> bool:
    """Whether some process holds the folder's lock at this moment."""
    try:
        with (folder / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _try_lock(file: TextIO) -> bool:
    for wait_s in (0.05, 0.0):  # once more: somebody may only look whether it is held
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait_s)
        else:
            return True
    return False


def _holder(file: TextIO) -> str:
    file.seek(0)
    return file.read().strip()
