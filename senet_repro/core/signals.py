"""Signals wait for a safe point (training floor; no torch).

A run that Ctrl-C, SIGTERM or a cluster's warning ends in the middle of a step would lose its epoch. Within a
`Deferral` they are only noted: training asks it at the end of each step, writes a checkpoint and leaves. On the way out
the signal is given to whoever had handled it before: Python's own Ctrl-C, the command line's SIGTERM, a launcher that
puts its job back into the queue. One that only took note of it lets the run go on from its checkpoint: a cluster that
announces preemption by SIGTERM does not start a job again that ends by itself.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from senet_repro.core.errors import Stopped

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
_HINT = b"\nsenet_repro: stopping at the next safe point; Ctrl-C again ends at once\n"


class Deferral:
    """A context that notes the first of these signals, tells its child processes, and passes it on at its end."""

    def __init__(self, children: Callable[[], Iterable[int]] = tuple) -> None:
        """Take what lists the process ids that must stop as well."""
        self.signum: int | None = None
        self._children = children
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Deferral:
        # Only the main thread hears signals; one that kills silently, or that is ignored, stays as it is.
        if threading.current_thread() is threading.main_thread():
            handlers = {signum: signal.getsignal(signum) for signum in _SIGNALS}
            self._before = {
                s: h
                for s, h in handlers.items()
                if callable(h) or (h, s) == (signal.SIG_DFL, signal.SIGTERM)
            }
            self.install()
        return self

    def install(self) -> None:
        """Handle the signals again, after a library has put its own handlers in place."""
        for signum in self._before:
            signal.signal(signum, self._note)

    def leave(self) -> None:
        """At a point from which the run can begin anew.

        Raises:
            Stopped: a signal was noted.
        """
        if self.signum is not None:
            raise Stopped(self.signum)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        if self.signum is not None:
            signal.raise_signal(self.signum)
            if isinstance(error, Stopped):
                error.is_final = False  # whoever handled it has not ended the process

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        again = self.signum is not None
        if signum == signal.SIGINT and again:
            self._tell(signal.SIGKILL)
            os._exit(128 + signum)
        if not again:
            self.signum = signum
            if signum == signal.SIGINT:
                os.write(2, _HINT)  # print() may be what was interrupted
            self._tell(signal.SIGTERM)

    def _tell(self, signum: int) -> None:
        for process in self._children():
            with suppress(ProcessLookupError):
                os.kill(process, signum)
