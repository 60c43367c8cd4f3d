"""One process at a time per folder (config floor, for every floor above)."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_LOOK_S = 0.05  # somebody who only looks whether a lock is held, holds it for less


@contextmanager
def locked(folder: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the folder's lock, waiting for another process that holds it; the folder is made where it is missing.

    `say` is told whom it waits for, and of a holder that died without giving the lock back. Yields the lock's file
    descriptor: a child process that inherits it holds the lock too, for as long as it lives. The kernel drops the lock
    when the last of them dies, so none can stay behind.
    """
    with _wait(folder, say) as file:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield file.fileno()
        finally:
            file.truncate(0)


@contextmanager
def locked_if_free(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder that is there, unless another process does: then False, at once."""
    try:
        file = _file_of(folder)
    except FileNotFoundError:  # somebody has removed it
        yield False
        return
    with file:
        yield _try(file) and _is_of(folder, file)


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


def _wait(folder: Path, say: Callable[[str], None]) -> TextIO:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = _file_of(folder)
        except FileNotFoundError:
            continue  # removed between these lines
        if not _try(file):
            say(f"waiting for {_holder(file) or 'another process'}, which works in {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        elif holder := _holder(file):
            say(f"{holder} died while it worked in {folder}; taking over")
        if _is_of(folder, file):
            return file
        file.close()  # whoever held it has removed the folder


def _file_of(folder: Path) -> TextIO:
    return (folder / "lock").open("a+", encoding="utf-8")


def _is_of(folder: Path, file: TextIO) -> bool:
    """Whether an open lock is still the folder's, and not one that was removed."""
    try:
        return os.path.samestat((folder / "lock").stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _try(file: TextIO) -> bool:
    for wait_s in (_LOOK_S, 0.0):
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
