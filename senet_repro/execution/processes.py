"""A run on several devices: one process each, watched over as one (training floor; no torch).

Lightning could start them itself, by repeating the command line: Hydra's would run the whole sweep again in each. Here
each is `senet_repro.execution.worker`, which reads the run's written settings and never sees Hydra.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from senet_repro.config.schema import Run
from senet_repro.core.errors import RunFailed, Stopped
from senet_repro.core.signals import Deferral
from senet_repro.execution.failure_report import reported_failure
from senet_repro.execution.nodes import Meeting
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.devices import reserve_gpus

_OTHERS_S = 10  # what the others get to end by themselves once one has failed
_POLL_S = 0.1

Processes = list[tuple[subprocess.Popen[bytes], Path]]


def train_in_processes(run: Run, folder: Path, meeting: Meeting, lock: int | None) -> None:
    """Train with one process per device of this node, each with a log of its own in the run's folder.

    They inherit `lock`, and so keep the folder if this process dies before them.

    Raises:
        RunFailed: one failed; the others were ended.
        ConfigError: the run cannot be, for a reason that only its processes could know.
        Stopped: they were, at a safe point.
    """
    processes: Processes = []
    with (
        Deferral(
            lambda: [process.pid for process, _ in processes if process.poll() is None]
        ) as deferral,
        reserve_gpus(run.trainer) as gpus,
        _started(processes, run, folder, _environment(run, gpus, meeting), lock),
    ):
        deferral.leave()  # it may not have reached those that were started after it
        ends = _wait(processes, shown=processes[0][1] if meeting.node == 0 else None)
        bad = [(log, code) for log, code in ends if code]
        if not bad:
            return
        if deferral.signum is None and bad[0][1] != 128 + signal.SIGTERM:
            killed = next((end for end in bad if end[1] < 0), None)  # the others only lost it
            raise (None if killed else reported_failure(folder)) or _death(*(killed or bad[0]))
        raise Stopped(deferral.signum or signal.SIGTERM)


@contextmanager
def _started(
    processes: Processes, run: Run, folder: Path, environment: dict[str, str], lock: int | None
) -> Iterator[None]:
    """Fill `processes`, with their logs; none of them, and of what they started, is left when the context ends."""
    command = [sys.executable, "-m", "senet_repro.execution.worker", str(folder)]
    first = int(environment["NODE_RANK"]) * run.trainer.devices
    try:
        for rank in range(run.trainer.devices):
            path = RunFolder(folder).device_log(first + rank)
            with path.open("wb") as log:
                process = subprocess.Popen(
                    command,
                    env={**environment, "LOCAL_RANK": str(rank)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[] if lock is None else [lock],
                    start_new_session=True,  # a process group that can be ended as one, and that Ctrl-C spares
                )
            processes.append((process, path))
        yield
    finally:
        for process, _ in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _environment(run: Run, gpus: Sequence[str], meeting: Meeting) -> dict[str, str]:
    """What every device's process needs to know."""
    threads = int(os.environ.get("OMP_NUM_THREADS", len(os.sched_getaffinity(0))))
    return {
        **os.environ,
        "NODE_RANK": str(meeting.node),
        "MASTER_ADDR": meeting.address,
        "MASTER_PORT": str(meeting.port),
        "OMP_NUM_THREADS": str(max(1, threads // run.trainer.devices)),
        **({"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}),
    }


def _wait(processes: Processes, shown: Path | None) -> list[tuple[Path, int]]:
    """Logs and exit codes in the order of the ends; once one ends badly, the others get a while and no more.

    What is added to the log `shown` meanwhile goes to standard error.
    """
    ends: list[tuple[Path, int]] = []
    running = list(processes)
    deadline_s = float("inf")
    copied = 0
    while running and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
        for process, log in list(running):
            code = process.poll()
            if code is not None:
                running.remove((process, log))
                ends.append((log, code))
                deadline_s = min(deadline_s, time.monotonic() + _OTHERS_S) if code else deadline_s
        if shown:
            copied = _copy(shown, copied)
    return ends


def _copy(log: Path, copied: int) -> int:
    """Copy the whole lines that follow byte `copied` of the log; returns where it came to."""
    with log.open("rb") as file:
        file.seek(copied)
        text, newline, _ = file.read().rpartition(b"\n")
    if newline:
        sys.stderr.write((text + newline).decode(errors="replace"))
        sys.stderr.flush()
    return copied + len(text) + len(newline)


def _death(log: Path, code: int) -> RunFailed:
    """What can be said of a process that could not say it itself."""
    how = (
        f"was killed by {signal.Signals(-code).name}"
        if code < 0
        else f"ended with exit code {code}"
    )
    hint = (
        "; if memory ran out, give a higher trainer.accumulate" if code == -signal.SIGKILL else ""
    )
    return RunFailed(f"the process of {log.stem} {how}{hint}; see {log}", log)
