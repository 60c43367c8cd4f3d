"""Processes of a benchmark, none of which outlives it (benchmarks floor; no torch)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# A process that is told to end gets so long for its own processes and checkpoints.
GRACE_S = 10.0


@contextmanager
def start_process(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command whose output goes to a log; it and all that it started are killed when the context ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A process group that can be ended as one.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def wait_or_stop(process: subprocess.Popen[bytes], deadline_s: float) -> int | None:
    """Return the exit code of a process; None where it was still at work at the deadline, and was told to end.

    The deadline is a time of `time.monotonic`.
    """
    with suppress(subprocess.TimeoutExpired):
        return process.wait(max(0.0, deadline_s - time.monotonic()))
    _signal_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    return None


def read_end(log: Path, characters: int = 1500) -> str:
    """Return the end of a log, as text."""
    return log.read_text(encoding="utf-8", errors="replace")[-characters:].strip()


def _signal_group(process: subprocess.Popen[bytes], signum: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signum)
