"""Stop the work of a process whose parent is gone (core floor).

A command that is killed by SIGKILL, as by the kernel where memory runs out, tells its processes nothing. They would
train on for hours, on a GPU and in folders that nobody expects them in.
"""

from __future__ import annotations

import os
import signal

from senet_repro.core.background import BackgroundWork

WATCH_S = 1.0


class ParentWatch(BackgroundWork):
    """Sends this process SIGTERM once its parent is gone, while a block runs: `with ParentWatch(parent): ...`.

    So the block ends at its next safe point, as it does where the parent itself is told to stop.
    """

    def __init__(self, parent: int) -> None:
        """Watch the process of the number `parent`, which started this one."""
        super().__init__()
        self._parent = parent

    @property
    def is_parent_gone(self) -> bool:
        """Whether another process has inherited this one."""
        return os.getppid() != self._parent

    def _work_until_end(self) -> None:
        while not self.is_parent_gone:
            if self._has_ended.wait(WATCH_S):
                return
        os.kill(os.getpid(), signal.SIGTERM)
