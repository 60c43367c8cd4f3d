"""The commit of the checkout that the package runs from (core floor)."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple


class Commit(NamedTuple):
    """The checkout that the package runs from; both None for an installed package."""

    revision: str | None
    dirty: bool | None  # a tracked file differs from the commit


@lru_cache(maxsize=1)
def read_commit() -> Commit:
    """Return the commit of the checkout around this file, read once: later edits do not reach a process that runs."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return Commit(None, None)
    try:
        revision = _run_git(root, "rev-parse", "HEAD").strip()
        changes = _run_git(root, "status", "--porcelain", "--untracked-files=no").strip()
    # Without git, or in a checkout of another user, nothing is known.
    except (OSError, subprocess.CalledProcessError):
        return Commit(None, None)
    return Commit(revision, dirty=bool(changes))


def _run_git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
