"""Run folders made by hand, in the states that runs leave them in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from senet_repro.config.identity import run_dir, run_key
from senet_repro.config.schema import Run
from senet_repro.results import plan
from senet_repro.results.epochs import append_epoch
from senet_repro.results.plan import PlannedRun
from senet_repro.results.record import Record, write_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import write_status
from tests.records import compose_once, record_of


def begin(
    results_dir: Path,
    *overrides: str,
    state: str | None = "running",
    checkpoint: bool = True,
    **said: Any,
) -> Run:
    """A run that was begun, with the last word of its status."""
    run = replace(compose_once(*overrides), results_dir=str(results_dir))
    folder = RunFolder.of(run)
    folder.checkpoints.mkdir(parents=True)
    folder.write_settings(asdict(run))
    if checkpoint:
        folder.last_checkpoint.write_bytes(b"weights")
    if state:
        write_status(folder.path, run_key=run_key(run), seed=run.seed, state=state, **said)
    return run


def finish(results_dir: Path, *overrides: str) -> Run:
    """A run that has its record."""
    run = begin(results_dir, *overrides, state="done")
    write_record(run_dir(run), record_of(run, seed=run.seed, top1=1.0))
    return run


def leave_record(run: Run, record: Record) -> None:
    """Write the settings of a run, its last epoch and its record, as training leaves them."""
    folder = RunFolder.of(run)
    folder.path.mkdir(parents=True)
    folder.write_settings(asdict(run))
    append_epoch(folder.path, {"epoch": run.recipe.epochs, **record.metrics})
    write_record(folder.path, record)


def planned(run: Run) -> PlannedRun:
    return replace(plan.plan_run(run, [f"r={run.r}", f"seed={run.seed}"]), table="reduction_ratio")


# The process ends by itself where its standard input does, and so does not outlive the test's.
HOLD_LOCK = """
import sys
from pathlib import Path
from senet_repro.core.lock import hold_lock
with hold_lock(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold a folder's lock; it may be killed before the end."""
    command = [sys.executable, "-c", HOLD_LOCK, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def trained_elsewhere(run: Run) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the run's lock."""
    with held_elsewhere(run_dir(run)) as process:
        yield process
