"""Exceptions whose messages name the mend, and the exit codes they end a process with (core floor)."""

from __future__ import annotations

import errno
import signal
from pathlib import Path


class ConfigError(ValueError):
    """A setting that cannot be; the message names the mend."""


class DataError(ConfigError):
    """Data that is missing, of another form or corrupt; the message names the file and the mend."""


class RunFailed(RuntimeError):  # noqa: N818 - it reads as the sentence it prints
    """A run that ended without a record; the message names the cause and, where there is one, the mend."""

    def __init__(self, reason: str, log: Path | None = None) -> None:
        """Fail for `reason`; `log` is that of the device's process that failed, on several devices."""
        super().__init__(reason)
        self.log = log


class Diverged(RunFailed):
    """The loss stopped being a finite number."""


class OutOfMemory(RunFailed):
    """The run did not fit into memory; the message names the setting that makes it fit."""


class TrainedElsewhere(RunFailed):
    """Another process has the run at this moment; nothing is wrong with it."""


class Stopped(BaseException):
    """A signal ended a run at a safe point, to be resumed; no `except Exception` may take it for a failure."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        # As shells report it: 130 for Ctrl-C, 143 for SIGTERM.
        self.exit_code = 128 + signum


def exit_code_of(error: Exception) -> int:
    """Return what a process ends with: 2 for a run or command that cannot be, 1 for one that failed."""
    # A full disk fails a run that could have been.
    if is_disk_full(error):
        return 1
    return 2 if isinstance(error, ConfigError | OSError) else 1


def is_disk_full(error: Exception) -> bool:
    """Return whether a disk, or a user's share of it, ran out of space."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def reason_of(error: Exception) -> str:
    """Return the cause in words: of an operating system's error its text, file and mend; of any other its message."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error) or type(error).__name__
    reason = error.strerror
    if error.filename:
        reason += f": {error.filename}"
    if is_disk_full(error):
        reason += "; free some space and give the same command again"
    return reason
