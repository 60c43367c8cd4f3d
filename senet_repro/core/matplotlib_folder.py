"""Keep matplotlib out of the home directory (core floor; matplotlib itself is not imported here)."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from senet_repro.core.files import find_temporary_folder

VARIABLE = "MPLCONFIGDIR"


def set_matplotlib_folder() -> None:
    """Have matplotlib keep its settings and its list of fonts in a folder for temporary files.

    Call it before anything imports matplotlib, as Lightning does too. It sets MPLCONFIGDIR, which the processes that
    this one starts inherit; a user's own MPLCONFIGDIR stays.
    """
    if VARIABLE in os.environ:
        return
    # One folder per user serves every process, so a process that is killed leaves nothing of its own behind.
    folder = find_temporary_folder()
    # What bears its name there may be anything.
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_private(folder):
        # Everybody may write to /tmp, and matplotlib obeys the settings that it finds in its folder.
        folder = _make_own_folder()
    os.environ[VARIABLE] = str(folder / "matplotlib")


def _is_private(folder: Path) -> bool:
    """Return whether a folder is this user's, is no link, and nobody else can write to it."""
    status = folder.lstat()
    is_shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not is_shared


def _make_own_folder() -> Path:
    """Return a new folder of this process alone, which is removed as the process ends."""
    folder = tempfile.mkdtemp(prefix="senet_repro-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
