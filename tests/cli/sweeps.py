"""Sweeps as real processes, and the files that they must leave behind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests import commands
from tests.commands import SMALL, wait_until
from tests.warm import WarmPython

__all__ = [
    "SIDE_BY_SIDE",
    "SMALL",
    "epochs",
    "finish",
    "holder",
    "records",
    "start",
    "states",
    "table",
    "wait_until",
]

SIDE_BY_SIDE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def start(results_dir: Path, *arguments: str, **options: Any) -> WarmPython:
    """Start runs that leave their records in a folder."""
    return commands.start_warm(*arguments, f"results_dir={results_dir}", **options)


def finish(
    results_dir: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Start runs as `start` does, and wait until they end."""
    return commands.run_warm(*arguments, f"results_dir={results_dir}", **environment)


def table(results_dir: Path, *arguments: str) -> str:
    """Return what the verb `table` prints of a folder."""
    done = commands.run_command("table", "--results", str(results_dir), *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def records(results_dir: Path) -> dict[str, dict[str, Any]]:
    """Return every record by its folder, without its plan and the values that a clock gives."""
    found = {}
    for path in sorted(results_dir.glob("*/seed*/record.json")):
        record = json.loads(path.read_text())
        # The epochs have times of their own, and so has the plan.
        for name in ("wall_s", "images_per_s", "finished_at", "metrics_sha256", "plan"):
            del record[name]
        del record["config"]["results_dir"]
        record["overrides"] = [text for text in record["overrides"] if "results_dir=" not in text]
        found[str(path.parent.relative_to(results_dir))] = record
    return found


def epochs(results_dir: Path) -> list[int]:
    """Return how many epochs each run has on the disk."""
    return [
        len(path.read_text().splitlines()) for path in results_dir.glob("*/seed*/metrics.jsonl")
    ]


def states(results_dir: Path) -> list[str]:
    """Return the state of every run that was begun, sorted."""
    return sorted(
        json.loads(path.read_text())["state"] for path in results_dir.glob("*/seed*/status.json")
    )


def holder(run_folder: Path) -> int | None:
    """Return the number of the process that holds a run's lock, which reads "process 12 on host", or None."""
    words = (run_folder / "lock").read_text().split()
    return int(words[1]) if words else None
