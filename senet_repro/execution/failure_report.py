"""How a run can end without a record (training floor; no torch)."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Sequence
from pathlib import Path

from senet_repro.core.errors import ConfigError, RunFailed, exit_code_of, reason_of
from senet_repro.core.files import write_json
from senet_repro.results.run_folder import RunFolder

TAIL_LINES = 50


def log_tail_of(error: Exception) -> list[str]:
    """The last lines of the log of the process that failed; of this one, the end of the traceback."""
    log = getattr(error, "log", None)
    if log is None:
        return _tail("".join(traceback.format_exception(error)))
    try:
        return _tail(log.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def report_failure(folder: Path, device: int, error: Exception) -> None:
    """As one process of several: say why, unless another has. The first is the cause; the others only lost it."""
    try:
        os.close(os.open(RunFolder(folder).failure_claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    said = {"device": device, "reason": reason_of(error), "exit_code": exit_code_of(error)}
    write_json(RunFolder(folder).failure_file, said)


def forget_failure(folder: Path) -> None:
    """Begin anew."""
    RunFolder(folder).failure_claim.unlink(missing_ok=True)
    RunFolder(folder).failure_file.unlink(missing_ok=True)


def reported_failure(folder: Path) -> Exception | None:
    """What `report_failure` said, with the log of the process that failed; None if none could."""
    try:
        failure = json.loads(RunFolder(folder).failure_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if failure["exit_code"] == 2:
        return ConfigError(failure["reason"])
    return RunFailed(failure["reason"], RunFolder(folder).device_log(failure["device"]))


def _tail(text: str) -> list[str]:
    lines: Sequence[str] = text.splitlines()
    return list(lines[-TAIL_LINES:])
