"""Write runs as W&B's own offline files, without a key and without a network (mirrors floor).

W&B runs in a process of its own, `wandb_writer`, which is stopped when it takes too long: whatever happens to it, the
process that asked goes on, and W&B's settings never reach that process.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from senet_repro.core.files import read_text
from senet_repro.mirrors.wandb_data import WandbRun

START_LIMIT_S = 60
RUN_LIMIT_S = 5

NO_TELEMETRY = {"WANDB_ERROR_REPORTING": "false"}
"""Variables for every process of W&B: by itself it reports its errors and its use to its makers."""

FINGERPRINT_FILE = "content.sha256"
"""Beside W&B's files: the fingerprint of the content that they hold, written last."""


class WandbError(Exception):
    """W&B did not do what it was asked for; the message is one line."""


def write_offline_runs(runs: Sequence[WandbRun]) -> None:
    """Write runs into the folder wandb/ of each; what was there before is removed once the new files are whole.

    Raises:
        WandbError: W&B failed, was killed or took too long. The runs before that are written.
    """
    if not runs:
        return
    limit_s = START_LIMIT_S + RUN_LIMIT_S * len(runs)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "senet_repro.mirrors.wandb_writer"],
            input=pickle.dumps(list(runs)),
            capture_output=True,
            timeout=limit_s,
            env={**NO_TELEMETRY, **os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WandbError(f"its files were not written within {limit_s} s") from None
    if done.returncode:
        raise WandbError(describe_failure(done))


def describe_failure(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the last line that a failed process wrote, or else its exit code."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"its process ended with exit code {done.returncode}"


def is_written(run: WandbRun) -> bool:
    """Return whether W&B's files hold the content of `run` already."""
    try:
        return read_text(run.folder / "wandb" / FINGERPRINT_FILE) == run.fingerprint
    except (OSError, UnicodeDecodeError):
        return False


def find_unsent_log(run: WandbRun) -> Path | None:
    """Return the file that `wandb sync` sends for a run; None if it was sent, or is not there."""
    for log in (run.folder / "wandb").glob("offline-run-*/run-*.wandb"):
        if not is_sent(log):
            return log
    return None


def is_sent(log: Path) -> bool:
    """Return whether `wandb sync` has sent a file; it leaves a mark beside the file."""
    return log.with_suffix(".wandb.synced").exists()
