"""A run on several devices: one process each, watched over as one (execution floor; no torch).

Lightning could start the processes itself, by repeating the command line: Hydra's would run the whole sweep again in
each. Here each is `senet_repro.execution.worker`, which reads the run's written settings and never sees Hydra.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from senet_repro.config.schema import Run
from senet_repro.core.cores import count_cores
from senet_repro.core.errors import RunFailed, Stopped
from senet_repro.core.signals import Deferral
from senet_repro.execution.failure_report import read_failure
from senet_repro.execution.nodes import Meeting
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.devices import reserve_gpus

TRAINING_WORKER = "senet_repro.execution.worker"
"""The module that trains as one device."""

# Once one process has failed, the others get this long to end by themselves.
_OTHERS_S = 10
_POLL_S = 0.1
_STOPPED = 128 + signal.SIGTERM


@dataclass(frozen=True)
class DeviceProcess:
    """The process of one device, and the log that its output goes to."""

    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True)
class ProcessEnd:
    """How the process of one device ended: with an exit code, or by a signal where the code is negative."""

    log: Path
    exit_code: int


def train_in_processes(
    run: Run,
    folder: Path,
    meeting: Meeting,
    lock: int | None,
    overrides: Sequence[str] | None,
    deferral: Deferral,
    worker: str = TRAINING_WORKER,
) -> None:
    """Train with one process per device of this node, each with a log of its own in the run's folder.

    The processes inherit `lock`, and so keep the folder if this process dies before them. A signal that `deferral`
    notes is passed on to them. `overrides` is the command line that trains this run alone. Each process is the module
    `worker`, which may do something else than to train.

    Raises:
        RunFailed: one process failed; the others were ended.
        ConfigError: the run cannot be, for a reason that only its processes could know.
        Stopped: the processes stopped at a safe point.
    """
    with reserve_gpus(run.trainer) as gpus:
        environment = _make_environment(run, gpus, meeting)
        with _start_processes(run, folder, environment, lock, overrides, worker) as processes:
            deferral.pass_on_to(partial(_list_running, processes))
            # A signal that was noted before was passed on to none of them.
            deferral.stop_if_signalled()
            shown_log = None
            if meeting.node == 0:
                shown_log = processes[0].log
            ends = _wait_for_ends(processes, shown_log)
    _check_ends(ends, folder, deferral)


def _check_ends(ends: Sequence[ProcessEnd], folder: Path, deferral: Deferral) -> None:
    """Accept processes that all ended well.

    Raises:
        Stopped: the first that did not was stopped, or this process was.
        Exception: what the first process to fail reported, or how it died.
    """
    bad_ends = [end for end in ends if end.exit_code != 0]
    if not bad_ends:
        return
    first = bad_ends[0]
    if deferral.signum is not None or first.exit_code == _STOPPED:
        raise Stopped(deferral.signum or signal.SIGTERM)
    # A process that was killed could report nothing; the others report only that they lost it.
    killed = next((end for end in bad_ends if end.exit_code < 0), None)
    if killed is not None:
        raise _describe_death(killed)
    raise read_failure(folder) or _describe_death(first)


@contextmanager
def _start_processes(
    run: Run,
    folder: Path,
    environment: dict[str, str],
    lock: int | None,
    overrides: Sequence[str] | None,
    worker: str,
) -> Iterator[list[DeviceProcess]]:
    """Start the processes of this node's devices.

    None of them, and of the processes that they started, is left when the context ends.
    """
    command = [
        sys.executable,
        "-m",
        worker,
        str(folder),
        *(overrides or []),
    ]
    first_device = int(environment["NODE_RANK"]) * run.trainer.devices
    processes: list[DeviceProcess] = []
    try:
        for rank in range(run.trainer.devices):
            path = RunFolder(folder).device_log(first_device + rank)
            with path.open("wb") as log:
                process = subprocess.Popen(
                    command,
                    env={**environment, "LOCAL_RANK": str(rank)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[] if lock is None else [lock],
                    # A process group that can be ended as one, and that Ctrl-C in a terminal spares.
                    start_new_session=True,
                )
            processes.append(DeviceProcess(process, path))
        yield processes
    finally:
        for device in processes:
            with suppress(ProcessLookupError):
                os.killpg(device.process.pid, signal.SIGKILL)
            device.process.wait()


def _make_environment(run: Run, gpus: Sequence[str], meeting: Meeting) -> dict[str, str]:
    """Return the environment of every device's process: where to meet, its threads and its GPUs."""
    threads = int(os.environ.get("OMP_NUM_THREADS", count_cores()))
    environment = {
        **os.environ,
        "NODE_RANK": str(meeting.node),
        "LOCAL_WORLD_SIZE": str(run.trainer.devices),
        "MASTER_ADDR": meeting.address,
        "MASTER_PORT": str(meeting.port),
        "OMP_NUM_THREADS": str(max(1, threads // run.trainer.devices)),
    }
    if gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    return environment


def _list_running(processes: Sequence[DeviceProcess]) -> list[int]:
    """Return the ids of the processes that have not ended."""
    return [device.process.pid for device in processes if device.process.poll() is None]


def _wait_for_ends(processes: Sequence[DeviceProcess], shown_log: Path | None) -> list[ProcessEnd]:
    """Return how the processes ended, in the order of their ends.

    Once one ends badly, the others get a while and no more: those that run on are not in the list. Lines that are added
    to the log `shown_log` meanwhile go to standard error.
    """
    ends: list[ProcessEnd] = []
    running = list(processes)
    deadline_s = math.inf
    shown_bytes = 0
    while running and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
        for device in list(running):
            exit_code = device.process.poll()
            if exit_code is None:
                continue
            running.remove(device)
            ends.append(ProcessEnd(device.log, exit_code))
            if exit_code != 0:
                deadline_s = min(deadline_s, time.monotonic() + _OTHERS_S)
        if shown_log:
            shown_bytes = _show_new_lines(shown_log, shown_bytes)
    return ends


def _show_new_lines(log: Path, shown_bytes: int) -> int:
    """Copy the whole lines that follow the first `shown_bytes` of a log; returns how many bytes are shown then."""
    with log.open("rb") as file:
        file.seek(shown_bytes)
        text, newline, _ = file.read().rpartition(b"\n")
    if newline:
        sys.stderr.write((text + newline).decode(errors="replace"))
        sys.stderr.flush()
    return shown_bytes + len(text) + len(newline)


def _describe_death(end: ProcessEnd) -> RunFailed:
    """Return the failure of a process that could not report it itself."""
    if end.exit_code < 0:
        death = f"was killed by {signal.Signals(-end.exit_code).name}"
    else:
        death = f"ended with exit code {end.exit_code}"
    if end.exit_code == -signal.SIGKILL:
        death += "; if memory ran out, give a higher trainer.accumulate"
    return RunFailed(f"the process of {end.log.stem} {death}; see {end.log}", end.log)
