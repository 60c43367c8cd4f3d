"""Why a file of a results folder cannot be read, with the mend (results floor)."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_FORBIDDEN = (errno.EACCES, errno.EPERM)


def is_forbidden(path: Path, mode: int) -> bool:
    """Return whether something is there that this user may not read, or enter where `mode` says so, as `os.access`.

    Nothing is there for a user who may not enter the folder around it.
    """
    # Of the user whose rights count, where a process runs for another than it was started by.
    by_effective = os.access in os.supports_effective_ids
    is_there = os.access(path, os.F_OK, effective_ids=by_effective)
    return is_there and not os.access(path, mode, effective_ids=by_effective)


def explain_forbidden(path: Path) -> str:
    """Return that this user may not read something of a results folder, and what mends it."""
    return f"{path}: no permission to read it; its owner can give it: chmod -R a+rX {path}"


def explain_access(path: Path, error: OSError) -> str:
    """Return why something of a results folder cannot be read, and what mends it."""
    if error.errno in _FORBIDDEN:
        return explain_forbidden(path)
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return f"{path}: a link to what is not there; remove it, or put back what it leads to"
    if error.errno == errno.ELOOP:
        return f"{path}: a link that leads to itself; remove it"
    if error.errno in (errno.EINVAL, errno.EISDIR):
        return f"{path}: not a file, but a folder, a pipe or the like; remove it"
    return f"{path}: cannot be read ({error.strerror})"
