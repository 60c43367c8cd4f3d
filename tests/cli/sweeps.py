"""Sweeps as real processes, and what they must leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

SMALL = ["recipe.batch_size=256", "trainer.accelerator=cpu"]
SIDE_BY_SIDE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


_started: list[subprocess.Popen[str]] = []


def start(results_dir: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A command of senet_repro, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "senet_repro", *arguments, f"results_dir={results_dir}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    _started.append(process)
    return process


def end_what_is_left() -> None:
    """Kill what a failed test has not waited for, with all that it started."""
    while _started:
        process = _started.pop()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def finish(results_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same, waited for."""
    process = start(results_dir, *arguments)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def table(results_dir: Path, *arguments: str) -> str:
    command = [
        sys.executable,
        "-m",
        "senet_repro",
        "table",
        "--results",
        str(results_dir),
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def wait_until(holds: Callable[[], Any], limit_s: float = 90) -> None:
    deadline_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.02)


def records(results_dir: Path) -> dict[str, dict[str, Any]]:
    """Every record by its folder, without what a clock gives."""
    found = {}
    for path in sorted(results_dir.glob("*/seed*/record.json")):
        record = json.loads(path.read_text())
        for name in ("wall_s", "images_per_s", "finished_at"):
            del record[name]
        del record["config"]["results_dir"]
        found[str(path.parent.relative_to(results_dir))] = record
    return found


def epochs(results_dir: Path) -> list[int]:
    """How many epochs each run has on the disk."""
    return [
        len(path.read_text().splitlines()) for path in results_dir.glob("*/seed*/metrics.jsonl")
    ]


def states(results_dir: Path) -> list[str]:
    return sorted(
        json.loads(path.read_text())["state"] for path in results_dir.glob("*/seed*/status.json")
    )
