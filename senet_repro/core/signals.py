"""Signals: who may stop whom, and how (core floor; Python's handlers are installed by this file alone).

A run that a signal ended in the middle of a step would lose its epoch. So each process answers a signal by one of four
policies: **defer** (`Deferral`: note it, leave at the next safe point), **ignore** (`ignore_signals`), **convert**
(`convert_signals`, `JobStops`: raise `Stopped`, which no `except Exception` takes for a failure) and **end**
(`end_at_signals`, `Deferral.end_at_once`: while libraries are imported, which may swallow an exception).

    process                SIGINT (Ctrl-C)        SIGTERM                 SIGUSR2 (1)     policy: installed by, when
    ---------------------  ---------------------  ----------------------  --------------  -----------------------------
    command line           KeyboardInterrupt,     Stopped, exit code 143  ends it         end: __main__.py, at first;
                           exit code 130                                                  convert: cli/main.py, after it
    - trains a run         leaves at a safe       leaves at a safe point  ends it         defer: execution/execute.py,
                           point; the second                                              around each attempt
                           ends it at once
    - waits for its jobs   the same, once the     the same, once the      ends it         defer: cli/train.py, around
      (joblib)             jobs have, by SIGTERM  jobs have, by SIGTERM                   the launch
    - waits for its        the same, once the     the same, once the      ends it         defer: execution/execute.py,
      devices              devices have, by       devices have, by                        as above
                           SIGTERM                SIGTERM
    job beside others      ignored: the command   ends the job at work;   ends it         ignore, convert: cli/job.py,
    (joblib)               passes it on           no other begins                         before each job
    - trains a run         ignored                leaves at a safe point  ends it         defer: execution/execute.py,
                                                                                          as above
    process of a device    ignored: its parent    Stopped, exit code 143  ends it         ignore, convert:
                           passes it on                                                   execution/worker.py, at the
                                                                                          start
    - trains               ignored                leaves at a safe point  ends it         defer: execution/worker.py,
                                                                                          around training
    decoding worker        ignored                ignored                 ignored         ignore: data/workers.py, at
                                                                                          the start
    Slurm job              KeyboardInterrupt      noted in its log (2)    requeues it     submitit's own, at the start
                                                                          (3)
    - trains a run         leaves at a safe       leaves, and goes on at  leaves, and is  defer: execution/execute.py,
                           point                  once                    requeued        as above

SIGHUP, the end of a terminal, is answered as SIGTERM is, with exit code 129; the processes that ignore Ctrl-C ignore
it too. Where nohup has a command ignore it, it stays ignored.

(1) A cluster's warning. Where nothing handles it, it ends the process, and a `Deferral` leaves it so.
(2) A cluster that announces preemption by SIGTERM does not start a job again that ends by itself.
(3) By submitit's handler, which puts the job back into the queue and then raises SystemExit.

A deferred signal is delivered, once the safe point is reached, to the handler that was there before: `Deferral`
restores the handlers, and `deliver_signal` hands the signal on. A handler that only takes note lets the run go on.
A run that waits for a batch comes to no safe point before there is one. `begin_wait` gives such a wait an end.
docs/lifecycle.md shows these steps in the life of a run.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from senet_repro.core.errors import RunFailed, Stopped

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)
WAIT_S = 10
"""A wait in which a signal came is given up after so long: what is waited for may never come."""

_STOPPED = b"\nsenet_repro: stopped; the same command goes on from here\n"
_HINT = b"\nsenet_repro: stopping at the next safe point; Ctrl-C again ends at once\n"

ListProcesses = Callable[[], Iterable[int]]
"""Returns the ids of the child processes that must stop as well, at the moment of the call."""


def ignore_signals(signums: Iterable[int] = STOP_SIGNALS) -> None:
    """Ignore signals for the rest of this process: another one answers them."""
    for signum in signums:
        signal.signal(signum, signal.SIG_IGN)


def end_at_signals() -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP end this process at once, until `convert_signals`: nothing is under way yet."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _end_process)


def convert_signals() -> None:
    """Let SIGTERM and SIGHUP raise `Stopped`, and Ctrl-C KeyboardInterrupt, for the rest of this process."""
    signal.signal(signal.SIGTERM, _raise_stopped)
    # What nohup started is to outlive its terminal.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _raise_stopped)
    if signal.getsignal(signal.SIGINT) is _end_process:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_process(signum: int, _frame: FrameType | None) -> None:
    """Say that the command was stopped, and end the process with the exit code of the signal."""
    # Neither print() nor an exception: one may be under way already, and libraries swallow the other.
    with suppress(OSError):
        os.write(2, _STOPPED)
    os._exit(128 + signum)


def _raise_stopped(signum: int, _frame: FrameType | None) -> None:
    raise Stopped(signum)


_ENDING_HANDLERS = (signal.default_int_handler, _raise_stopped)
"""The handlers that only end a command."""


class JobStops:
    """Converts SIGTERM in a process that a launcher started beside others, to train one run after another.

    Between two jobs such a process executes the launcher's own code. An exception there would take the launcher down,
    and the other jobs with it, so the signal is only noted, and no further job begins.
    """

    def __init__(self) -> None:
        self._is_stopped = False
        self._is_at_work = False

    @contextmanager
    def convert_within_job(self) -> Iterator[None]:
        """Ignore Ctrl-C from now on, and let SIGTERM end the job that is the body of this context.

        Raises:
            RunFailed: the process was stopped, before the job or meanwhile.
        """
        # In a terminal Ctrl-C, and its end, reach every process of the group; the command's process passes both on as
        # SIGTERM.
        ignore_signals([signal.SIGINT, signal.SIGHUP])
        signal.signal(signal.SIGTERM, self._note_or_raise)
        if self._is_stopped:
            raise RunFailed("stopped before it began")
        self._is_at_work = True
        try:
            yield
        except Stopped:
            raise RunFailed("stopped; the same command goes on from here") from None
        finally:
            self._is_at_work = False

    def _note_or_raise(self, signum: int, _frame: FrameType | None) -> None:
        self._is_stopped = True
        if self._is_at_work:
            raise Stopped(signum)


class Deferral:
    """A context that notes the first stop signal, and passes it on to child processes as SIGTERM.

    Its body asks `stop_if_signalled` at each point from which a run can be resumed. After the context the handlers from
    before are back, and `deliver_signal` must be called, whether the body failed or not.
    """

    def __init__(self, list_children: ListProcesses = tuple) -> None:
        """Defer signals for this process and for the children that `list_children` returns."""
        self.signum: int | None = None
        self._list_children = list_children
        self._handlers_before: dict[int, Any] = {}
        # Whether the body waits for something that may never come, and what then ends the wait.
        self._is_waiting = False
        self._is_overdue = False
        self._timer: threading.Timer | None = None
        # What is to be done before a signal ends the process at once; None where it must not.
        self._clean_up: Callable[[], None] | None = None

    def __enter__(self) -> Deferral:
        # Only the main thread hears signals.
        if threading.current_thread() is threading.main_thread():
            for signum in STOP_SIGNALS:
                handler = signal.getsignal(signum)
                if _is_deferrable(signum, handler):
                    self._handlers_before[signum] = handler
            self.install_handlers()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.end_wait()
        for signum, handler in self._handlers_before.items():
            signal.signal(signum, handler)

    def install_handlers(self) -> None:
        """Handle the signals, again where a library has put its own handlers in place meanwhile."""
        for signum in self._handlers_before:
            signal.signal(signum, self._note_signal)

    def pass_on_to(self, list_children: ListProcesses) -> None:
        """Send SIGTERM to these child processes as well, once a signal comes; a signal noted already is not sent."""
        self._list_children = list_children

    @contextmanager
    def end_at_once(self, clean_up: Callable[[], None]) -> Iterator[None]:
        """Let a signal end the process in the body of this context, after `clean_up`, and not at the next safe point.

        The body imports libraries, which takes seconds, and they may swallow an exception meanwhile. It is so only
        where the handler from before would end the process as well, and not in the job of a launcher.
        """
        self._clean_up = clean_up
        try:
            yield
        finally:
            self._clean_up = None

    def begin_wait(self) -> None:
        """Let a signal end what follows, until `end_wait`: it raises `Stopped` there after `WAIT_S` seconds.

        The body waits for something that may never come, such as a batch from a process that is stuck.
        """
        self._is_waiting = True
        if self.signum is not None:
            self._start_timer()

    def end_wait(self) -> None:
        """End what `begin_wait` began: from here on a signal is left to the next safe point."""
        self._is_waiting = False
        self._is_overdue = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stop_if_signalled(self) -> None:
        """Leave, at a point from which the run can be resumed, if a signal was noted.

        Raises:
            Stopped: a signal was noted.
        """
        if self.signum is not None:
            raise Stopped(self.signum)

    def deliver_signal(self) -> bool:
        """Deliver a noted signal to the handler from before the context; to be called after it.

        Returns True if that handler let the process go on, and False if there was no signal to deliver. Raises whatever
        the handler raises.
        """
        if self.signum is None:
            return False
        signal.raise_signal(self.signum)
        return True

    def _note_signal(self, signum: int, _frame: FrameType | None) -> None:
        if self._clean_up is not None and self._handlers_before[signum] in _ENDING_HANDLERS:
            with suppress(OSError):
                self._clean_up()
            _end_process(signum, None)
        if self.signum is None:
            self.signum = signum
            if signum == signal.SIGINT:
                # A handler may interrupt print() itself, and print() is not made to be entered twice.
                with suppress(OSError):
                    os.write(2, _HINT)
            self._send_to_children(signal.SIGTERM)
            if self._is_waiting:
                self._start_timer()
        elif self._is_overdue:
            self.end_wait()
            raise Stopped(self.signum)
        elif signum == signal.SIGINT:
            self._send_to_children(signal.SIGKILL)
            os._exit(128 + signum)

    def _start_timer(self) -> None:
        self._timer = threading.Timer(WAIT_S, self._interrupt_wait)
        self._timer.daemon = True
        self._timer.start()

    def _interrupt_wait(self) -> None:
        """Have the main thread leave what it waits for, from the timer's thread."""
        signum, main_thread = self.signum, threading.main_thread().ident
        if self._is_waiting and signum is not None and main_thread is not None:
            self._is_overdue = True
            # Sent to that thread, since it may sleep in a call of the system that only a signal ends.
            signal.pthread_kill(main_thread, signum)

    def _send_to_children(self, signum: int) -> None:
        for process in self._list_children():
            with suppress(ProcessLookupError):
                os.kill(process, signum)


def _is_deferrable(signum: int, handler: Any) -> bool:
    """Return whether a signal may be deferred that `handler` answers now.

    A signal that is ignored stays ignored. One without a Python handler would end the process without a word; of these
    only SIGTERM is deferred, as the usual way to ask a process to end.
    """
    if callable(handler):
        return True
    return signum == signal.SIGTERM and handler == signal.SIG_DFL
