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


def _unheard(_line: str) -> None:
    """Say nothing."""


@contextmanager
def hold_lock(
    folder: Path, say: Callable[[str], None] = _unheard, wait: bool = True
) -> Iterator[int | None]:
    """Hold the folder's lock; the folder is made where it is missing.

    Another process that holds it is waited for; with `wait=False` None is yielded at once. `say` is told whom it waits
    for, and of a holder that died without giving the lock back. Yields the lock's file descriptor: a child process that
    inherits it holds the lock too, for as long as it lives. The kernel drops the lock when the last of them dies, so
    none can stay behind.
    """
    file = _taken(folder, say, wait)
    if file is None:
        yield None
        return
    with file:
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


def _taken(folder: Path, say: Callable[[str], None], wait: bool) -> TextIO | None:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = (folder / "lock").open("a+", encoding="utf-8")
        except FileNotFoundError:
            continue  # removed between these lines
        if not _try(file):
            if not wait:
                file.close()
                return None
            say(f"waiting for {_holder(file) or 'another process'}, which works in {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        elif holder := _holder(file):
            say(f"{holder} died while it worked in {folder}; taking over")
        if _is_of(folder, file):
            return file
        file.close()  # whoever held it has removed the folder


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
