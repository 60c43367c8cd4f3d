"""Say what a command is busy with, once it has taken so long that a person would wonder (core floor)."""

from __future__ import annotations

import sys

from senet_repro.core.background import BackgroundWork

# Nobody wonders before.
FIRST_S = 2.0
# After the second line, which comes so much later, the pauses grow: nobody wants a hundred lines.
AGAIN_S = 10.0
GROWTH = 1.5


class SlowWork(BackgroundWork):
    """A block of code that takes long now and then: `with SlowWork("counting the networks") as work: ...`.

    A line on standard error says so after two seconds, and again after ever longer pauses; a quick block is not spoken
    of. A thread of its own says it, also while the block imports libraries or waits.
    """

    def __init__(self, doing: str) -> None:
        super().__init__()
        self._doing = doing
        self._count = ""

    def count(self, done: int, total: int) -> None:
        """Note how far the work is, for the next line."""
        self._count = f" ({done} of {total})"

    def _work_until_end(self) -> None:
        wait_s, next_s = FIRST_S, AGAIN_S
        while not self._has_ended.wait(wait_s):
            wait_s, next_s = next_s, next_s * GROWTH
            try:
                print(f"senet_repro: {self._doing}{self._count} ...", file=sys.stderr, flush=True)
            except (OSError, ValueError):
                # The terminal is gone; the work goes on.
                return
