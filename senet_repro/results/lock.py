"""One process at a time per folder (results floor)."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


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
