"""One run as a job: trained in the process that a launcher chose for it, with its line on standard error."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from senet_repro.cli.points import Position
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.core.durations import format_duration
from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.core.signals import JobStops
from senet_repro.core.streams import guard_streams
from senet_repro.execution.execute import train_to_record
from senet_repro.results.record import Record, RecordError, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks import find_task
from senet_repro.training.progress import print_finish_line
from senet_repro.training.task import describe_metrics

# Errors whose message holds the mend; every other is a fault, and is shown with its traceback.
EXPECTED_ERRORS = (ConfigError, RunFailed, OSError)

# One for the whole process, as its handlers are: a launcher's process trains one run after another.
_job_stops = JobStops()


def train_run(
    run: Run, overrides: Sequence[str], position: Position | None = None, is_beside: bool = False
) -> None:
    """Train a run and print its result; a run of a sweep only if no other process has trained it or trains it.

    `overrides` is the command line that trains the run alone, `position` None for a command of one run. `is_beside`
    says that this process was started by a launcher beside others of this machine.

    Raises:
        TrainedElsewhere: another process trains the run, and a sweep has other runs to train meanwhile.
        RunFailed: as `train_to_record`, or the job was stopped beside others.
    """
    # A launcher may have started this process.
    guard_streams()
    if position and has_record(run_dir(run)):
        # Another process was quicker.
        return
    started_s = time.monotonic()
    try:
        with _job_stops.convert_within_job() if is_beside else nullcontext():
            may_wait = position is None or _was_requeued()
            _, record = train_to_record(run, _print_line, may_wait, overrides=overrides)
    except Exception as error:
        if not isinstance(error, EXPECTED_ERRORS):
            traceback.print_exc()
        raise
    print_finish_line(_describe_result(record, time.monotonic() - started_s, position))


def has_record(folder: Path) -> bool:
    """Return whether a run's folder holds a record that can be read; only its run can report what is wrong with one."""
    try:
        read_record(RunFolder(folder).record_file)
    except RecordError:
        return False
    return True


def _was_requeued() -> bool:
    """Return whether this is a later stay of a Slurm job.

    Such a job waits for its run's lock: the node that it lost may give the lock back only a while later.
    """
    return int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0


def _describe_result(record: Record, took_s: float, position: Position | None) -> str:
    """Return the line of a finished run: its errors, its time and, in a sweep, about how long the others take."""
    metrics = describe_metrics(find_task(record.task), record.metrics)
    line = f"{record.name} seed {record.seed}  {metrics} of {record.eval_images:,} images  {format_duration(took_s)}"
    if position is None:
        return line
    line = f"[{position.number}/{position.total}] {line}"
    # Runs side by side do not end in their order.
    unfinished = sum(not RunFolder(folder).record_file.exists() for folder in position.folders)
    # As if every run took as long as this one.
    remaining_s = took_s * unfinished / position.side_by_side
    if remaining_s >= 1:
        line += f", about {format_duration(remaining_s)} left"
    return line


def _print_line(line: str) -> None:
    print(line, file=sys.stderr)
