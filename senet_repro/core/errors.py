"""What can go wrong, as exceptions that say how to mend it, and the exit codes they end a process with (core floor)."""

from __future__ import annotations

import errno
import signal
from pathlib import Path


class ConfigError(ValueError):
    """A setting that cannot be; the message names the mend."""


class DataError(ConfigError):
    """Data that is missing, of another form or corrupt; the message names the file and the mend."""


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
    return 2 if isinstance(error, ConfigError | OSError) and not is_disk_full(error) else 1


def is_disk_full(error: Exception) -> bool:
    """Whether a disk, or one's share of it, ran out of space."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def reason_of(error: Exception) -> str:
    """Why, in words."""
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        mend = "; free some space and give the same command again" if is_disk_full(error) else ""
        return f"{error.strerror}{where}{mend}"
    return str(error) or type(error).__name__
