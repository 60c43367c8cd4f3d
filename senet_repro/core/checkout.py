"""The commit of the checkout that the package runs from (core floor).

Where the files of a checkout were copied to a machine without its `.git`, SENET_REPRO_COMMIT may say which they are:
what `git rev-list -1 HEAD -- ` prints with the names in CODE, and -dirty after it where files of these differ.
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

CODE = ("senet_repro", "conf", "hydra_plugins", "pyproject.toml", "requirements.lock")
"""The files and folders of a checkout that decide what a run computes; documents and collected results do not."""

_STATED = re.compile(r"(?P<revision>[0-9a-f]{40})(?P<dirty>-dirty)?")


class Commit(NamedTuple):
    """The code of the checkout that the package runs from; both None for an installed package."""

    revision: str | None  # of the commit that changed the code last
    dirty: bool | None  # a tracked file of the code differs from it


@lru_cache(maxsize=1)
def read_commit() -> Commit:
    """Return the commit of the code around this file, read once: later edits do not reach a process that runs.

    Commits that change no code, such as those of collected results, are passed over: runs before and after them are
    of the same code.

    Raises:
        ConfigError: there is no `.git`, and the environment states something that is no commit.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return _read_stated_commit()
    try:
        revision = run_git(root, "rev-list", "-1", "HEAD", "--", *CODE).strip()
        changes = run_git(root, "status", "--porcelain", "--untracked-files=no", "--", *CODE)
    # Without git, or in a checkout of another user, nothing is known.
    except (OSError, subprocess.CalledProcessError):
        return Commit(None, None)
    return Commit(revision or None, dirty=bool(changes.strip()))


def is_committed(file: Path) -> bool | None:
    """Return whether a file is in its checkout's commit as it stands; None where no checkout would hold it.

    It may lie in none, or git may be told to ignore it.
    """
    folder, name = file.resolve().parent, file.name
    try:
        tracked = run_git(folder, "ls-files", "--", name).strip()
        untracked = run_git(folder, "ls-files", "--others", "--exclude-standard", "--", name)
        changes = run_git(folder, "status", "--porcelain", "--", name).strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    if not tracked and not untracked.strip():
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


def run_git(root: Path, *arguments: str) -> str:
    """Return what git prints in a folder.

    Raises:
        OSError: there is no git.
        CalledProcessError: it fails, as outside of a checkout.
    """
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
