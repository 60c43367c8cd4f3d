"""Processes that load batches: whatever becomes of one ends the wait for it, with the setting that would help."""

from __future__ import annotations

import errno
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
import torch
from torch.utils.data import Dataset

from senet_repro.core import signals
from senet_repro.core.errors import RunFailed, Stopped
from senet_repro.core.signals import Deferral
from senet_repro.data import workers
from senet_repro.data.workers import (
    build_loader,
    end_workers,
    explain_worker_death,
    iterate_batches,
)

# torch raises the death of a process from the handler of a signal, wherever Python is at that moment; and what it had
# only begun to set up complains when it is collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collect() -> Iterator[None]:
    """Let it complain now: collected later, it would fail another test."""
    yield
    gc.collect()


class Unsendable:
    """Fails on its way out of a process, as a batch does that finds no room there."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __reduce__(self) -> NoReturn:
        raise self.error


class Batches(Dataset[Any]):
    """Four batches, the third made by `make`, in the process that loads it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return self.make() if index == 2 else torch.tensor(index)


def end_by(signum: int) -> Callable[[], Any]:
    return lambda: os.kill(os.getpid(), signum)


def send(error: Exception) -> Callable[[], Any]:
    return lambda: Unsendable(error)


@pytest.mark.parametrize(
    ("make", "mend"),
    [
        (send(RuntimeError("unable to allocate shared memory(shm)")), "a larger /dev/shm"),
        (send(OSError(errno.ENOSPC, "No space left on device")), "a larger /dev/shm"),
        (send(OSError(errno.EMFILE, "Too many open files")), "ulimit -n 65536"),
        (send(OSError("AF_UNIX path too long")), "AF_UNIX path too long; trainer.num_workers=0"),
        (end_by(signal.SIGBUS), "a larger /dev/shm"),
        (end_by(signal.SIGKILL), "killed by SIGKILL; if memory ran out, give fewer"),
        (lambda: os._exit(3), "it ended with exit code 3"),
    ],
    ids=["shared memory", "disk", "files", "sockets", "bus error", "killed", "ended"],
)
def test_a_batch_that_cannot_come_ends_the_run_with_the_mend(
    make: Callable[[], Any], mend: str
) -> None:
    loader = build_loader(Batches(make), num_workers=1, batch_size=None)
    with (
        pytest.raises(RunFailed, match=r"trainer\.num_workers=0") as failure,
        explain_worker_death(),
    ):
        list(iterate_batches(loader))
    assert mend in str(failure.value)
    assert loader._iterator is None


def test_processes_that_cannot_be_started_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)
    loader = build_loader(Batches(int), num_workers=1, batch_size=None)
    with pytest.raises(RunFailed, match=r"No space left on device; give .* a larger /dev/shm"):
        list(iterate_batches(loader))


def test_without_processes_an_error_is_the_callers_own() -> None:
    def fail() -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        list(iterate_batches(build_loader(Batches(fail), num_workers=0, batch_size=None)))


def test_a_wait_for_a_process_that_is_stuck_hears_a_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals, "WAIT_S", 0.3)
    monkeypatch.setattr(workers, "_END_S", 0.1)
    loader = build_loader(Batches(end_by(signal.SIGSTOP)), num_workers=1, batch_size=None)
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGTERM]).start()
    started_s = time.monotonic()
    with Deferral() as deferral:
        deferral.begin_wait()
        with pytest.raises(Stopped) as stop:
            list(iterate_batches(loader))
    (process,) = loader._iterator._workers  # type: ignore[union-attr]
    end_workers(loader)
    assert stop.value.exit_code == 143
    assert not process.is_alive()
    assert time.monotonic() - started_s < 60
