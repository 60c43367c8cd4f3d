"""How one of several device processes reports why it failed (execution floor; no torch).

failure.json    the cause: device, reason and exit code of the process that failed first
.failure.claim  made by the process that failed first, so that the others, which only lost it, report nothing
device<k>.log   output of the process of device k, counted over all nodes
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path

from senet_repro.core.errors import ConfigError, RunFailed, exit_code_of, reason_of
from senet_repro.core.files import write_json

TAIL_LINES = 50
_FAILURE = "failure.json"
_FIRST_TO_FAIL = ".failure.claim"


def device_log(folder: Path, device: int) -> Path:
    """Return the log of a device's process; devices are counted over all nodes."""
    return folder / f"device{device}.log"


def report_failure(folder: Path, device: int, error: Exception) -> None:
    """Write down, as a device's process, why the run failed, unless another process was first.

    The first failure is the cause; the other processes fail because they lost the first one.
    """
    try:
        descriptor = os.open(folder / _FIRST_TO_FAIL, os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return
    os.close(descriptor)
    failure = {"device": device, "reason": reason_of(error), "exit_code": exit_code_of(error)}
    write_json(folder / _FAILURE, failure)


def read_failure(folder: Path) -> Exception | None:
    """Return the failure that `report_failure` wrote, with the log of its process; None if no process wrote one."""
    try:
        failure = json.loads((folder / _FAILURE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    # The kind of error is known by its exit code: JSON holds no exception.
    if failure["exit_code"] == 2:
        return ConfigError(failure["reason"])
    return RunFailed(failure["reason"], device_log(folder, failure["device"]))


def remove_failure(folder: Path) -> None:
    """Remove what an earlier attempt reported."""
    for name in (_FIRST_TO_FAIL, _FAILURE):
        (folder / name).unlink(missing_ok=True)


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
