"""One device's process of a run (execution floor).

    python -m senet_repro.execution.worker FOLDER OVERRIDE...

FOLDER holds the run's config.yaml; the overrides are the command line that trains the run alone.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.schema import Run
from senet_repro.core.errors import Stopped, exit_code_of
from senet_repro.core.loading import keep_for_good
from senet_repro.core.signals import Deferral, convert_signals, ignore_signals
from senet_repro.core.streams import guard_streams
from senet_repro.execution.failure_report import report_failure
from senet_repro.results.plan import read_kept_plan
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks import find_task
from senet_repro.training.fit import fit


def main() -> None:
    """Train the run whose config.yaml lies in the folder, as the device that LOCAL_RANK and NODE_RANK name.

    The exit code is 2 for a run that cannot be, 1 for one that failed, and 128 + signal for one that was stopped.
    """
    keep_for_good()
    # Ctrl-C is for the process that started this one, which passes it on as SIGTERM.
    ignore_signals([signal.SIGINT])
    # The disk of its log may be full.
    guard_streams()
    # A run on several devices has an override at least for them, unless it was not asked for by a command line.
    folder, overrides = Path(sys.argv[1]), sys.argv[2:] or None
    try:
        convert_signals()
        sys.exit(_train_device(folder, overrides))
    except Stopped as stopped:
        sys.exit(stopped.exit_code)


def _train_device(folder: Path, overrides: Sequence[str] | None) -> int:
    """Train as one device, and return the exit code; a failure is reported in the folder.

    Raises:
        Stopped: a signal came; training left at a safe point.
    """
    first_of_node = int(os.environ["NODE_RANK"]) * int(os.environ["LOCAL_WORLD_SIZE"])
    device = first_of_node + int(os.environ["LOCAL_RANK"])
    try:
        run = RunFolder(folder).read_settings()
        _fit_deferring(run, folder, overrides)
    except Exception as error:
        report_failure(folder, device, error)
        # The message of a run that cannot be holds its mend; a traceback would only hide it.
        if exit_code_of(error) != 2:
            traceback.print_exc()
        return exit_code_of(error)
    return 0


def _fit_deferring(run: Run, folder: Path, overrides: Sequence[str] | None) -> None:
    """Train, and leave at a safe point if a signal comes."""
    deferral = Deferral()
    plan = read_kept_plan(RunFolder(folder))
    try:
        with deferral:
            fit(run, find_task(run.task), folder, deferral, overrides=overrides, plan=plan)
    finally:
        deferral.deliver_signal()


if __name__ == "__main__":
    main()
