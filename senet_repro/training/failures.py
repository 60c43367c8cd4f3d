"""How a run can end without a record (training floor; no torch)."""

from __future__ import annotations

import errno
import json
import os
import signal
import traceback
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.files import write_json
from senet_repro.config.schema import ConfigError

TAIL_LINES = 50
_FAILURE = "failure.json"
_CLAIM = ".failure.claim"


class RunFailed(RuntimeError):  # noqa: N818 - it reads as the sentence it prints
    """A run that ended without a record; the message says why and, where there is one, the mend."""

    def __init__(self, reason: str, log: Path | None = None) -> None:
        super().__init__(reason)
        self.log = log  # of the process that failed


class Diverged(RunFailed):
    """The loss stopped being a finite number."""


class OutOfMemory(RunFailed):
    """The run did not fit; the message says how it would."""


class TrainedElsewhere(RunFailed):
    """Another process has the run at this moment; nothing is wrong with it."""


class Stopped(BaseException):
    """A signal ended a run at a safe point, to be resumed; no `except Exception` may take it for a failure."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.exit_code = 128 + signum  # as a shell says it: 130 for Ctrl-C, 143 for SIGTERM
        self.is_final = True


def exit_code_of(error: Exception) -> int:
    """What a process ends with: 2 for what cannot be, 1 for what failed."""
    return 2 if isinstance(error, ConfigError | OSError) and not is_full(error) else 1


def is_full(error: Exception) -> bool:
    """Whether a disk, or one's share of it, ran out of space."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def reason_of(error: Exception) -> str:
    """Why, in words."""
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        mend = "; free some space and give the same command again" if is_full(error) else ""
        return f"{error.strerror}{where}{mend}"
    return str(error) or type(error).__name__


def log_tail_of(error: Exception) -> list[str]:
    """The last lines of the log of the process that failed; of this one, the end of the traceback."""
    log = getattr(error, "log", None)
    if log is None:
        return _tail("".join(traceback.format_exception(error)))
    try:
        return _tail(log.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def log_of(folder: Path, device: int) -> Path:
    """Where the process of a device, counted over all nodes, writes what it says."""
    return folder / f"device{device}.log"


def report_failure(folder: Path, device: int, error: Exception) -> None:
    """As one process of several: say why, unless another has. The first is the cause; the others only lost it."""
    try:
        os.close(os.open(folder / _CLAIM, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    said = {"device": device, "reason": reason_of(error), "exit_code": exit_code_of(error)}
    write_json(folder / _FAILURE, said)


def forget_failure(folder: Path) -> None:
    """Begin anew."""
    for name in (_CLAIM, _FAILURE):
        (folder / name).unlink(missing_ok=True)


def reported_failure(folder: Path) -> Exception | None:
    """What `report_failure` said, with the log of the process that failed; None if none could."""
    try:
        failure = json.loads((folder / _FAILURE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if failure["exit_code"] == 2:
        return ConfigError(failure["reason"])
    return RunFailed(failure["reason"], log_of(folder, failure["device"]))


def _tail(text: str) -> list[str]:
    lines: Sequence[str] = text.splitlines()
    return list(lines[-TAIL_LINES:])
