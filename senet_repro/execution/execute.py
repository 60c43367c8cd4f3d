"""One run from configuration to record: skip a finished one, resume one that was cut short (execution floor)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path

from senet_repro.config.found_set import confirm_set
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.core.errors import Stopped, TrainedElsewhere
from senet_repro.core.files import remove_unfinished
from senet_repro.core.loading import loading_for_good
from senet_repro.core.lock import hold_lock
from senet_repro.core.signals import Deferral
from senet_repro.execution.failure_report import remove_failure
from senet_repro.execution.nodes import (
    call_meeting,
    join_meeting,
    read_node_number,
    remove_meeting,
)
from senet_repro.execution.processes import train_in_processes
from senet_repro.execution.run_status import RunStatus
from senet_repro.results.plan import keep_plan, read_kept_plan
from senet_repro.results.record import Record, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.starts import add_start
from senet_repro.tasks import find_task
from senet_repro.training.devices import find_gpus, list_visible_gpus, reserve_gpus


def train_to_record(
    run: Run,
    report: Callable[[str], None],
    wait: bool = True,
    *,
    overrides: Sequence[str] | None = None,
) -> tuple[Path, Record]:
    """Train `run` unless its record exists, and return the record's path and the record. Each node of a run calls this.

    A run that another process trains is waited for, which `report` gets a line about, or left alone with `wait=False`;
    nodes always wait, for each other. `overrides` is the command line that trains this run alone, None where none did.

    Raises:
        TrainedElsewhere: another process trains the run.
        RunFailed: training diverged, ran out of memory, or its processes died.
        ConfigError: the data or the devices are not what the run needs, or the campaign's plan is damaged.
        RecordError: the record that exists cannot be read.
        OSError: the results folder cannot be written to.
        Stopped: a signal came; the run is resumed the next time.
    """
    folder = run_dir(run)
    path = RunFolder(folder).record_file
    node = read_node_number(run.trainer.nodes)
    if node > 0:
        _train_beside_node_0(run, folder, node, overrides)
    elif not path.exists():
        with hold_lock(folder, report, wait or run.trainer.nodes > 1) as lock:
            if lock is None:
                raise TrainedElsewhere(f"another process trains {folder}")
            # Another process may have trained the run while this one waited.
            if not path.exists():
                _train_in_folder(run, folder, lock, overrides)
    return path, read_record(path)


def _train_in_folder(run: Run, folder: Path, lock: int, overrides: Sequence[str] | None) -> None:
    """Train in a folder that this process has locked."""
    with RunStatus(run, folder) as status:
        _remove_leftovers(folder)
        # A run that waited its turn may find other pictures than those it was composed with.
        confirm_set(run)
        _write_settings(run, folder)
        # The processes of several devices read it there, as they do the settings.
        keep_plan(run)
        add_start(folder)
        status.write_running()
        is_finished = False
        while not is_finished:
            attempt = partial(_train_on_devices, run, folder, status, lock, overrides)
            is_finished = _finish_attempt(attempt)


def _train_beside_node_0(
    run: Run, folder: Path, node: int, overrides: Sequence[str] | None
) -> None:
    """Train as a further node, in each attempt that node 0 calls until the run is finished."""
    meeting = join_meeting(folder, node)
    while meeting is not None:
        attempt = partial(train_in_processes, run, folder, meeting, None, overrides)
        if _finish_attempt(attempt):
            return
        meeting = join_meeting(folder, node, after=meeting)


def _finish_attempt(attempt: Callable[[Deferral], None]) -> bool:
    """Train until the end, or until a signal; returns whether the run is finished.

    It is not if a signal stopped it at a safe point, and the handler from before let the process go on: then the next
    attempt resumes the run from its checkpoint.

    Raises:
        Stopped: the run was stopped, and no handler was there to let it go on.
        BaseException: what the handler from before raised: Stopped, KeyboardInterrupt or a launcher's own.
    """
    deferral = Deferral()
    stop: Stopped | None = None
    try:
        with deferral:
            attempt(deferral)
    except Stopped as stopped:
        stop = stopped
    finally:
        may_go_on = deferral.deliver_signal()
    if stop is not None and not may_go_on:
        raise stop
    return stop is None


def _train_on_devices(
    run: Run,
    folder: Path,
    status: RunStatus,
    lock: int,
    overrides: Sequence[str] | None,
    deferral: Deferral,
) -> None:
    """Train once, in this process or in one per device."""
    if run.trainer.devices * run.trainer.nodes == 1:
        # Here, where no exception of a signal can be swallowed by a library that is being imported.
        with deferral.end_at_once(status.write_stopped), loading_for_good("torch and Lightning"):
            # A run that this machine has no devices for is refused before.
            find_gpus(run.trainer)
            import_module("senet_repro.training.fit")
        _train_in_this_process(run, folder, overrides, deferral)
    else:
        meeting = call_meeting(folder, run.trainer.nodes, lock)
        train_in_processes(run, folder, meeting, lock, overrides, deferral)


def _train_in_this_process(
    run: Run, folder: Path, overrides: Sequence[str] | None, deferral: Deferral
) -> None:
    # Imported by now, in a way that a signal ends at once.
    from senet_repro.training.fit import fit
    from senet_repro.training.memory_room import reserve_memory

    plan = read_kept_plan(RunFolder(folder))
    with reserve_gpus(run.trainer) as gpus:
        visible = []
        if gpus:
            visible = list_visible_gpus()
        indices = [visible.index(name) for name in gpus]
        task = find_task(run.task)
        with reserve_memory(run, gpus, deferral):
            fit(run, task, folder, deferral, indices, overrides=overrides, plan=plan)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed attempt left: parts of files, its failure and its meeting."""
    remove_unfinished(folder)
    remove_unfinished(RunFolder(folder).checkpoints)
    remove_failure(folder)
    remove_meeting(folder)


def _write_settings(run: Run, folder: Path) -> None:
    """Write the run's resolved settings, which the processes of several devices read."""
    RunFolder(folder).write_settings(asdict(run))
