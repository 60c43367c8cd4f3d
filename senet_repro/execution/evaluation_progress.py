"""How far an evaluation is: a line on standard error (execution floor; no torch)."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.core.durations import format_duration

QUIET_S = 10
"""Outside of a terminal a line is printed this often at most."""

_TERMINAL_QUIET_S = 0.5
_CLEAR_LINE = "\r\x1b[K"


@dataclass(frozen=True)
class AnnouncedPass:
    """A pass over the images that is going to be made."""

    label: str  # such as "224 px"
    pixels: int  # of one image, by which the time of a pass is estimated


class EvaluationProgress:
    """Tells of the passes over the images: a line that is rewritten in a terminal and printed anew elsewhere."""

    def __init__(self, title: str, passes: Sequence[AnnouncedPass], images: int) -> None:
        """Begin to count; the passes are made in their order, each over as many images."""
        self._title = title
        self._passes = list(passes)
        self._images = images
        self._started_s = self._printed_s = time.monotonic()
        self._pass = -1
        self._pass_s = self._started_s

    def begin_pass(self) -> None:
        """Begin the next pass."""
        self._pass += 1
        self._pass_s = time.monotonic()

    def report(self, done: int) -> None:
        """Report that so many images of the pass are evaluated."""
        now_s = time.monotonic()
        quiet_s: float = QUIET_S
        if sys.stderr.isatty():
            quiet_s = _TERMINAL_QUIET_S
        if now_s - self._printed_s < quiet_s:
            return
        self._printed_s = now_s
        line = self._describe(done, now_s)
        if sys.stderr.isatty():
            print(f"{_CLEAR_LINE}{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the terminal's line free for what follows."""
        if sys.stderr.isatty():
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)

    def _describe(self, done: int, now_s: float) -> str:
        images_per_s = done / max(now_s - self._pass_s, 1e-9)
        position = self._passes[self._pass].label
        total = len(self._passes)
        if total > 1:
            position += f", {self._pass + 1} of {total}"
        left_s = self._estimate_left(done, now_s)
        return (
            f"{self._title}  {position}  {done:,} of {self._images:,} images  "
            f"{images_per_s:,.0f} images/s  {format_duration(left_s)} left"
        )

    def _estimate_left(self, done: int, now_s: float) -> float:
        """Return the seconds that all passes still take, as if an image took time by its pixels."""
        pixels = [each.pixels for each in self._passes]
        whole = sum(pixels) * self._images
        finished = sum(pixels[: self._pass]) * self._images + pixels[self._pass] * done
        if finished == 0:
            return 0.0
        return (now_s - self._started_s) * (whole - finished) / finished
