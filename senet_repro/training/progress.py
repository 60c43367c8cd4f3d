"""How far a run is: a line on standard error, and status.json for everybody else (training floor; no torch)."""

from __future__ import annotations

import os
import socket
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from senet_repro.config.identity import run_key, run_name
from senet_repro.config.schema import Run
from senet_repro.core.durations import format_duration
from senet_repro.results.store import write_status

QUIET_S = 10
_CLEAR = "\r\x1b[K"


class Progress:
    """A line on the run at hand: rewritten in a terminal, said anew every ten seconds elsewhere; and its status."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.title = f"{run_name(run)} seed {run.seed}"
        self.epochs = run.recipe.epochs
        self._epoch_s = 0.0  # how long the last one took; 0: none ended yet
        self._status_s = self._said_s = time.monotonic()
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
        """Whether the last word is so old that another within the epoch is worth its time."""
        return time.monotonic() - self._status_s >= QUIET_S

    def within_epoch(self, epoch: int, share: float, images: float, took_s: float) -> None:
        """Tell that of epoch `epoch` (from 0) a share is trained: so many images, in so many seconds."""
        pace = images / took_s
        left_s = (self.epochs - epoch - share) * (self._epoch_s or took_s / share)
        self._write(epoch, share, pace, left_s)
        if self._may_say():
            self._say(f"epoch {epoch + 1}/{self.epochs} at {share:.0%}", pace, left_s)

    def after_epoch(self, metrics: dict[str, float]) -> None:
        """Tell what a finished epoch came to."""
        epoch, self._epoch_s = int(metrics["epoch"]), metrics["epoch_s"]
        pace = metrics["train_images"] / metrics["train_s"]
        left_s = (self.epochs - epoch) * self._epoch_s
        self._write(epoch, 0.0, pace, left_s)
        if epoch < self.epochs and self._may_say():
            result = f"loss {metrics['train_loss']:.3f}  top-1 err {metrics['top1_err_pct']:.2f} %"
            self._say(f"epoch {epoch}/{self.epochs}  {result}", pace, left_s)

    def _write(self, epoch: int, share: float, pace: float, left_s: float) -> None:
        self._status_s = time.monotonic()
        self._write_status(
            epoch=epoch,
            epoch_share=round(share, 4),
            images_per_s=round(pace, 1),
            left_s=round(left_s, 1),
            updated_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _may_say(self) -> bool:
        return sys.stderr.isatty() or time.monotonic() - self._said_s >= QUIET_S

    def _say(self, so_far: str, pace: float, left_s: float) -> None:
        self._said_s = time.monotonic()
        line = f"{self.title}  {so_far}  {pace:,.0f} images/s  {format_duration(left_s)} left"
        terminal = sys.stderr.isatty()
        print(
            f"{_CLEAR}{line}" if terminal else line,
            end="" if terminal else "\n",
            file=sys.stderr,
            flush=True,
        )


def finish_line(line: str) -> None:
    """Put a finished run's line where its progress stood."""
    print(f"{_CLEAR}{line}" if sys.stderr.isatty() else line, file=sys.stderr, flush=True)
