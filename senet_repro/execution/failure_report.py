"""How one of several device processes reports why it failed (execution floor; no torch).

failure.json holds the cause: device, reason and exit code of the process that failed first, and whether it diverged.
That process makes .failure.first before, so that the others, which only lost it, report nothing.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path

from senet_repro.core.errors import ConfigError, Diverged, RunFailed, exit_code_of, reason_of
from senet_repro.core.files import write_json
from senet_repro.results.run_folder import RunFolder

TAIL_LINES = 50


def report_failure(folder: Path, device: int, error: Exception) -> None:
    """Write down, as a device's process, why the run failed, unless another process was first.

    The first failure is the cause; the other processes fail because they lost the first one.
    """
    try:
        descriptor = os.open(RunFolder(folder).first_failure_mark, os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return
    os.close(descriptor)
    failure = {
        "device": device,
        "reason": reason_of(error),
        "exit_code": exit_code_of(error),
        "diverged": isinstance(error, Diverged),
    }
    write_json(RunFolder(folder).failure_file, failure)


def read_failure(folder: Path) -> Exception | None:
    """Return the failure that `report_failure` wrote, with the log of its process; None if no process wrote one."""
    try:
        failure = json.loads(RunFolder(folder).failure_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    # JSON holds no exception: the kind of error is known by its exit code, and by its mark if it diverged.
    if failure["exit_code"] == 2:
        return ConfigError(failure["reason"])
    kind = Diverged if failure["diverged"] else RunFailed
    return kind(failure["reason"], RunFolder(folder).device_log(failure["device"]))


def remove_failure(folder: Path) -> None:
    """Remove what an earlier attempt reported."""
    run_folder = RunFolder(folder)
    run_folder.first_failure_mark.unlink(missing_ok=True)
    run_folder.failure_file.unlink(missing_ok=True)


def read_log_tail(error: Exception) -> list[str]:
    """Return the last lines of the failed process's log; of a failure in this process, the end of its traceback.

    The list is empty if the log cannot be read.
    """
    log: Path | None = getattr(error, "log", None)
    if log is None:
        text = "".join(traceback.format_exception(error))
    else:
        try:
            text = log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
    return text.splitlines()[-TAIL_LINES:]
