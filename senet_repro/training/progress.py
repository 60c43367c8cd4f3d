"""How far a run is: a line on standard error, and status.json for everybody else (training floor; no torch)."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from senet_repro.config.identity import run_key, run_name
from senet_repro.config.schema import Run
from senet_repro.core.durations import format_duration
from senet_repro.results.metrics import describe_values
from senet_repro.results.store import write_status
from senet_repro.training.task import Task

QUIET_S = 10
"""Outside of a terminal a line is printed this often at most; within an epoch nothing is reported more often."""

_CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Reports the run at hand: its status, and a line that is rewritten in a terminal and printed anew elsewhere."""

    def __init__(self, run: Run, task: Task, folder: Path) -> None:
        self.title = f"{run_name(run)} seed {run.seed}"
        self.epochs = run.recipe.epochs
        self.headline = task.metrics[0]
        # How long the last epoch took; 0 until one has ended.
        self._epoch_s = 0.0
        self._reported_s = time.monotonic()
        self._printed_s = self._reported_s
        self._write_status = partial(
            write_status,
            folder,
            run_key=run_key(run),
            seed=run.seed,
            state="running",
            epochs=self.epochs,
            process=os.getpid(),
            host=socket.gethostname(),
        )

    @property
    def is_due(self) -> bool:
        """Whether the last report is so old that another within the epoch is worth its time."""
        return time.monotonic() - self._reported_s >= QUIET_S

    def report_within_epoch(self, epoch: int, share: float, images: float, took_s: float) -> None:
        """Report that a share of epoch `epoch` (from 0) is trained: so many images, in so many seconds."""
        images_per_s = images / took_s
        epoch_s = self._epoch_s or took_s / share
        remaining_s = (self.epochs - epoch - share) * epoch_s
        self._update_status(epoch, share, images_per_s, remaining_s)
        if self._may_print():
            so_far = f"epoch {epoch + 1}/{self.epochs} at {share:.0%}"
            self._print_line(so_far, images_per_s, remaining_s)

    def report_epoch(self, metrics: Mapping[str, Any]) -> None:
        """Report the metrics of a finished epoch."""
        epoch = int(metrics["epoch"])
        self._epoch_s = metrics["epoch_s"]
        images_per_s = metrics["train_images"] / metrics["train_s"]
        remaining_s = (self.epochs - epoch) * self._epoch_s
        self._update_status(epoch, 0.0, images_per_s, remaining_s)
        # The finish line follows the last epoch.
        if epoch < self.epochs and self._may_print():
            evaluation = "its evaluation overflowed"
            if metrics[self.headline.name] is not None:
                evaluation = describe_values([self.headline], metrics)
            result = f"loss {metrics['train_loss']:.3f}  {evaluation}"
            self._print_line(f"epoch {epoch}/{self.epochs}  {result}", images_per_s, remaining_s)

    def _update_status(
        self, epoch: int, share: float, images_per_s: float, remaining_s: float
    ) -> None:
        self._reported_s = time.monotonic()
        self._write_status(
            epoch=epoch,
            epoch_share=round(share, 4),
            images_per_s=round(images_per_s, 1),
            left_s=round(remaining_s, 1),
            updated_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _may_print(self) -> bool:
        return sys.stderr.isatty() or time.monotonic() - self._printed_s >= QUIET_S

    def _print_line(self, so_far: str, images_per_s: float, remaining_s: float) -> None:
        self._printed_s = time.monotonic()
        line = f"{self.title}  {so_far}  {images_per_s:,.0f} images/s  {format_duration(remaining_s)} left"
        if sys.stderr.isatty():
            print(f"{_CLEAR_LINE}{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)


def print_finish_line(line: str) -> None:
    """Print a finished run's line over its progress."""
    start = ""
    if sys.stderr.isatty():
        start = _CLEAR_LINE
    print(f"{start}{line}", file=sys.stderr, flush=True)
