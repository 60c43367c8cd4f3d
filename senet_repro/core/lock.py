"""One process at a time per folder, by a lock that the kernel drops when its holder dies (core floor)."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from senet_repro.core.files import open_without_waiting

LOCK = "lock"
# A process that only looks whether a lock is held, holds it itself for less than this.
_LOOK_S = 0.05


def _report_nothing(_line: str) -> None:
    """Drop a line that no caller asked for."""


@contextmanager
def hold_lock(
    folder: Path, report: Callable[[str], None] = _report_nothing, wait: bool = True
) -> Iterator[int | None]:
    """Hold the folder's lock until the context ends; the folder is made where it is missing.

    While another process holds the lock this one waits; with `wait=False` it yields None at once. `report` gets a line
    with the name of the holder that is waited for, or of a holder that died without giving the lock back.

    Yields the lock's file descriptor: a child process that inherits it holds the lock too, for as long as it lives. The
    kernel drops the lock when the last of them dies, so no lock can stay behind.
    """
    file = _open_locked(folder, report, wait)
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
            # An empty file tells the next holder that this one gave the lock back.
            file.truncate(0)


def is_locked(folder: Path) -> bool:
    """Return whether some process holds the folder's lock at this moment."""
    return find_holder(folder) is not None


def find_holder(folder: Path) -> str | None:
    """Return who holds the folder's lock, as `process 12 on host`; None if no process does.

    The name is empty for a moment after the lock was taken.
    """
    try:
        with open(folder / LOCK, encoding="utf-8", opener=open_without_waiting) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_name(file)
    except FileNotFoundError:
        pass
    return None


def _open_locked(folder: Path, report: Callable[[str], None], wait: bool) -> TextIO | None:
    """Return the folder's lock file, opened and locked; None if another process holds it and `wait` is false."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = (folder / LOCK).open("a+", encoding="utf-8")
        except FileNotFoundError:
            # Another process has removed the folder between these two lines.
            continue
        if not _try_lock(file):
            if not wait:
                file.close()
                return None
            holder = _read_name(file) or "another process"
            report(f"waiting for {holder}, which works in {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        elif dead := _read_name(file):
            report(f"{dead} died while it worked in {folder}; taking over")
        if _is_of_folder(file, folder):
            return file
        # The holder that was waited for has removed the folder: make it anew.
        file.close()


def _try_lock(file: TextIO) -> bool:
    """Take the lock if it is free, or held by a process that only looks; returns whether it was taken."""
    for wait_s in (_LOOK_S, 0.0):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait_s)
        else:
            return True
    return False


def _is_of_folder(file: TextIO, folder: Path) -> bool:
    """Return whether an open lock file is still the folder's, and not one that was removed."""
    try:
        current = (folder / LOCK).stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(current, os.fstat(file.fileno()))


def _read_name(file: TextIO) -> str:
    """Return the name that the holder of a lock has written into its file; empty if there is none."""
    file.seek(0)
    return file.read().strip()
