"""Write runs as W&B's own offline files, without a key and without a network (mirrors floor)."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

from senet_repro.core.files import read_text
from senet_repro.mirrors.wandb_data import WandbRun
from senet_repro.mirrors.wandb_process import START_LIMIT_S, call_module

RUN_LIMIT_S = 5

FINGERPRINT_FILE = "content.sha256"
"""Beside W&B's files: the fingerprint of the content that they hold, written last."""


def write_offline_runs(runs: Sequence[WandbRun]) -> None:
    """Write runs into the folder wandb/ of each; what was there before is removed once the new files are whole.

    Raises:
        WandbError: W&B failed, was killed or took too long. The runs before that are written.
    """
    if not runs:
        return
    limit_s = START_LIMIT_S + RUN_LIMIT_S * len(runs)
    writer = "senet_repro.mirrors.wandb_writer"
    call_module(writer, limit_s, "its files were not written", pickle.dumps(list(runs)))


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
