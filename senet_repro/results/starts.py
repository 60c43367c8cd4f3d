"""How often a run was started: a line in its folder whenever a process takes it up (results floor)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from senet_repro.core.files import read_text
from senet_repro.results.run_folder import RunFolder


def add_start(folder: Path) -> None:
    """Add a line for the process that takes the run in `folder` up now; earlier lines stay as they are."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with RunFolder(folder).starts_file.open("a", encoding="utf-8") as file:
        file.write(f"{now}\n")


def count_starts(folder: Path) -> int | None:
    """Return how often the run in `folder` was started; None for a run of a version that did not count."""
    try:
        lines = read_text(RunFolder(folder).starts_file).splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return len(lines)
