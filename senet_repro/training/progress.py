"""What a person sees while runs go on, on standard error (training floor; no torch)."""

from __future__ import annotations

import math
import sys
import time

QUIET_S = 10
_CLEAR = "\r\x1b[K"


class Progress:
    """A line on the run at hand: rewritten in a terminal, said anew every ten seconds elsewhere."""

    def __init__(self, title: str, epochs: int) -> None:
        self.title = title
        self.epochs = epochs
        self._said_s = time.monotonic()

    def show(self, metrics: dict[str, float]) -> None:
        """Tell how far the run is, its error, its pace and the time it still needs."""
        epoch, now_s, terminal = int(metrics["epoch"]), time.monotonic(), sys.stderr.isatty()
        if epoch == self.epochs or not (terminal or now_s - self._said_s >= QUIET_S):
            return
        self._said_s = now_s
        pace = metrics["train_images"] / metrics["train_s"]
        line = (
            f"{self.title}  epoch {epoch}/{self.epochs}  loss {metrics['train_loss']:.3f}  "
            f"top-1 err {metrics['top1_err_pct']:.2f} %  {pace:,.0f} images/s  "
            f"{clock((self.epochs - epoch) * metrics['epoch_s'])} left"
        )
        print(f"{_CLEAR}{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)


def finish_line(line: str) -> None:
    """Put a finished run's line where its progress stood."""
    print(f"{_CLEAR}{line}" if sys.stderr.isatty() else line, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """A duration as a person says it: 42 s, 7 min, 3 h 20 min."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
