"""The commit of the checkout that the package runs from (core floor).

Where the files of a checkout were copied to a machine without its `.git`, the environment may say which they are:
SENET_REPRO_COMMIT="$(git describe --always --abbrev=40 --exclude='*' --dirty)".
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from senet_repro.core.errors import ConfigError

COMMIT_VARIABLE = "SENET_REPRO_COMMIT"
_STATED = re.compile(r"(?P<revision>[0-9a-f]{40})(?P<dirty>-dirty)?")


class Commit(NamedTuple):
    """The checkout that the package runs from; both None for an installed package."""

    revision: str | None
    dirty: bool | None  # a tracked file differs from the commit


@lru_cache(maxsize=1)
def read_commit() -> Commit:
    """Return the commit of the checkout around this file, read once: later edits do not reach a process that runs.

    Raises:
        ConfigError: there is no `.git`, and the environment states something that is no commit.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return _read_stated_commit()
    try:
        revision = _run_git(root, "rev-parse", "HEAD").strip()
        changes = _run_git(root, "status", "--porcelain", "--untracked-files=no").strip()
    # Without git, or in a checkout of another user, nothing is known.
    except (OSError, subprocess.CalledProcessError):
        return Commit(None, None)
    return Commit(revision, dirty=bool(changes))


def is_committed(file: Path) -> bool | None:
    """Return whether a file is in its checkout's commit as it stands; None where it lies in no checkout.

    A file that git is told to ignore is in none.
    """
    folder, name = file.resolve().parent, file.name
    try:
        _run_git(folder, "rev-parse", "--is-inside-work-tree")
        tracked = _run_git(folder, "ls-files", "--", name).strip()
        changes = _run_git(folder, "status", "--porcelain", "--", name).strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return bool(tracked) and not changes


def _read_stated_commit() -> Commit:
    """Return the commit that the environment states of files that came without their `.git`."""
    stated = os.environ.get(COMMIT_VARIABLE)
    if not stated:
        return Commit(None, None)
    match = _STATED.fullmatch(stated)
    if match is None:
        raise ConfigError(
            f"{COMMIT_VARIABLE}={stated}: give the 40 hexadecimal digits of a commit, with -dirty after them "
            "where files differ from it"
        )
    return Commit(match["revision"], dirty=match["dirty"] is not None)


def _run_git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
