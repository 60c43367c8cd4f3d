"""The processes that load batches: how they are started, what they fail of, and how they end (data floor).

A process hands its batches on in shared memory, by sockets and descriptors, any of which a machine may be short of.
Whatever is wrong there ends the run with the setting that would help: nothing is waited for that cannot come.
"""

from __future__ import annotations

import copy
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Timer
from typing import Any

import torch
from torch.multiprocessing.queue import Queue
from torch.utils.data import DataLoader, Dataset
from torch.utils.data._utils import signal_handling

from senet_repro.core.errors import RunFailed
from senet_repro.core.signals import ignore_signals

SHARED_MEMORY = Path("/dev/shm")
_NO_WORKERS = "trainer.num_workers=0"
# Processes that are told to end get this long.
_END_S = 3
_DYING_S = 1


class UnsentBatch:
    """Stands in the place of a batch that a process could not hand on, and says why."""

    def __init__(self, problem: str) -> None:
        self.problem = problem


class _ReportingQueue(Queue):
    """A queue that tells its reader of a batch that could not be sent, where a plain one drops it without a word.

    The reader would wait for that batch for ever.
    """

    def _on_queue_feeder_error(self, error: Exception, unsent: tuple[int, Any]) -> None:
        place, _ = unsent
        self.put((place, UnsentBatch(_name_problem(error))))


def _make_context() -> BaseContext:
    """Return Python's own way to start processes, with queues that report what they could not send."""
    context = copy.copy(multiprocessing.get_context())
    context.Queue = partial(_ReportingQueue, ctx=context)  # type: ignore[method-assign]
    return context


def build_loader(dataset: Dataset[Any], num_workers: int, **options: Any) -> DataLoader[Any]:
    """Return a loader of whole batches, which `num_workers` processes make (0: this one); `options` are torch's."""
    return DataLoader(
        dataset,
        collate_fn=_keep_batch,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        multiprocessing_context=_make_context() if num_workers else None,
        worker_init_fn=_outlive_signals,
        # Or it would draw a seed from the global generator, and the training after it would differ.
        generator=torch.Generator(),
        **options,
    )


def iterate_batches(loader: DataLoader[Any]) -> Iterator[Any]:
    """Yield the batches of a loader.

    Raises:
        RunFailed: a process died, or could not hand a batch on; the message names the setting that would help.
    """
    with _explain_failures(loader):
        batches = iter(loader)
    while True:
        # The body of the caller's loop is none of the loader's business.
        with _explain_failures(loader):
            batch = next(batches, None)
        if batch is None:
            return
        if isinstance(batch, UnsentBatch):
            end_workers(loader)
            raise _describe_failure(batch.problem)
        yield batch


def end_workers(loader: DataLoader[Any]) -> None:
    """End a loader's processes; a later iteration starts new ones."""
    # DataLoader has no public way to end its workers. Left to the garbage collector they may live long, in the
    # iterator that a traceback holds, or die noisily, when their queues are collected before them.
    iterator: Any = loader._iterator
    if iterator is None:
        return
    loader._iterator = None
    _expect_deaths(iterator)
    # One that is stuck hears no SIGTERM, and torch waits for one after the other.
    killer = Timer(_END_S, _kill_processes, [iterator._workers])
    killer.daemon = True
    killer.start()
    iterator._shutdown_workers()
    killer.cancel()


def _expect_deaths(iterator: Any) -> None:
    """Have torch no longer raise an error when a process of a loader's iterator dies."""
    if iterator._worker_pids_set:
        signal_handling._remove_worker_pids(id(iterator))  # type: ignore[attr-defined]
        iterator._worker_pids_set = False


def _kill_processes(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.kill()


@contextmanager
def explain_worker_death() -> Iterator[None]:
    """Turn torch's error for the death of a loader's process into a failure that names the setting that would help.

    torch raises it at any moment, from the handler of a signal, and so perhaps far from the wait for a batch.

    Raises:
        RunFailed: a process died.
    """
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise _describe_failure(_name_problem(error)) from error


@contextmanager
def _explain_failures(loader: DataLoader[Any]) -> Iterator[None]:
    """Turn whatever a loader's processes fail of into a failure that names the setting that would help.

    Raises:
        RunFailed: something was wrong with the processes.
    """
    try:
        yield
    except (RuntimeError, OSError, EOFError) as error:
        if loader.num_workers == 0:
            raise
        # Asked before they are ended: of a process that died torch may say only that it was lost.
        problem = _find_death(loader) or _name_problem(error)
        end_workers(loader)
        raise _describe_failure(problem) from error


def _find_death(loader: DataLoader[Any]) -> str | None:
    """Return how the first dead process of a loader ended; None if all of them live."""
    iterator: Any = loader._iterator
    if iterator is None:
        return None
    _expect_deaths(iterator)
    # Its connection is lost a moment before a process is known to have died.
    wait([process.sentinel for process in iterator._workers], timeout=_DYING_S)
    for process in iterator._workers:
        process.join(timeout=0.1)
        exit_code: int | None = process.exitcode
        if exit_code is not None and exit_code < 0:
            return f"it was killed by {signal.Signals(-exit_code).name}"
        if exit_code is not None:
            return f"it ended with exit code {exit_code}"
    return None


def _name_problem(error: Exception) -> str:
    """Return what an error says, in a line."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    one_line = " ".join(text.split()) or type(error).__name__
    # What torch advises there is not for a user of this command.
    return one_line.partition(" Details are lost")[0].rstrip(".")


def _describe_failure(problem: str) -> RunFailed:
    """Return the failure of the processes that load batches, with the setting that would help against `problem`."""
    words = problem.lower()
    if _is_about_memory_shared(words):
        mend = f"give the machine or container a larger {SHARED_MEMORY} (docker run --shm-size=8g), or {_NO_WORKERS}"
    elif "too many open files" in words or "ancdata" in words:
        mend = f"raise the limit of open files (ulimit -n 65536), or give {_NO_WORKERS}"
    elif "killed" in words:
        mend = f"if memory ran out, give fewer trainer.num_workers, or {_NO_WORKERS}"
    else:
        mend = f"{_NO_WORKERS} loads them in the process that trains"
    return RunFailed(f"a process that loads batches failed: {problem}; {mend}")


def _is_about_memory_shared(words: str) -> bool:
    signs = ("shared memory", "shm", "bus error", "sigbus", "no space left")
    return any(sign in words for sign in signs)


def _outlive_signals(_worker: int) -> None:
    """Leave signals to the main process, which ends training at a safe point and needs its batches until then."""
    ignore_signals()


def _keep_batch(batch: Any) -> Any:
    """Return a batch as it is: the dataset gives whole ones, and nothing is left to collate."""
    return batch
