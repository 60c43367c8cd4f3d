"""Networks compiled by torch, once for each network of a process and not once a run (training floor).

Compiled code belongs to a function and not to an object: all networks that share a `forward` share a list of compiled
versions, each with the conditions under which it holds. So the second seed of a network finds the code of the first,
whatever was trained in between, as long as the list may be long enough.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from senet_repro.training.reasons import (
    describe_compile_error,
    find_code_folder,
    is_of_compilation,
)

# The variable by which torch finds the folder of its own cache.
CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
# torch gives up on a function, without an error, after so many versions; it takes 8 unless told otherwise. A network
# needs two: one in training, one in evaluation.
_MOST_VERSIONS = 4096


class CompiledForward:
    """Stands in the place of a network's `forward`: compiled for whole batches, plain for the rest of a set.

    The last batch of an evaluation is mostly smaller than the others. Compiling it as well takes as long as all the
    others gain.
    """

    def __init__(self, net: nn.Module, may_fall_back: bool) -> None:
        self._net = net
        self._plain = net.forward
        # Shapes are constants of the compiled code, or a second shape would have the first compiled again.
        self._compiled = torch.compile(net.forward, dynamic=False)
        self._may_fall_back = may_fall_back
        self.is_compiled = True
        # By whether the network trains.
        self._shapes: dict[bool, torch.Size] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Return what the network's own `forward` returns."""
        shape = self._shapes.setdefault(self._net.training, images.shape)
        if images.shape != shape:
            output: Tensor = self._plain(images)
            return output
        try:
            output = self._compiled(images)
        except Exception as error:
            if not (self._may_fall_back and is_of_compilation(error)):
                raise
            self._fall_back(error)
            output = self._plain(images)
        return output

    def _fall_back(self, error: Exception) -> None:
        """Go on without compiled code, and say so."""
        reason = describe_compile_error(error)
        print(
            f"trainer.compile=auto: the network is trained plain, since {reason}", file=sys.stderr
        )
        self._compiled = self._plain
        self.is_compiled = False


def compile_network(net: nn.Module, may_fall_back: bool = False) -> CompiledForward:
    """Let a network be compiled when it is called, and return what is called then; its state keeps its names.

    With `may_fall_back` a network that torch cannot compile is called plain, with a line on standard error.
    """
    # Imported only where a network is compiled, since it takes a second.
    from torch._dynamo import config

    config.recompile_limit = config.accumulated_recompile_limit = _MOST_VERSIONS
    forward = CompiledForward(net, may_fall_back)
    net.forward = forward
    return forward


def is_compiled(trainer: pl.Trainer) -> bool:
    """Return whether a trainer's network is compiled, and torch has not failed to."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    reports = [callback for callback in callbacks if isinstance(callback, CompileReport)]
    return any(report.forward.is_compiled for report in reports)


@contextmanager
def keep_compiled_code(results_dir: Path) -> Iterator[None]:
    """Let torch keep what it compiles beside the runs, where the next process finds it.

    torch reads there what it will run: the folder is of the same trust as the program itself. A user's own
    TORCHINDUCTOR_CACHE_DIR goes first, and where the folder cannot be, torch's own in the temporary folder serves.
    """
    # Late: it takes a second, and Lightning has mostly paid it.
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    folder = find_code_folder(results_dir)
    before = os.environ.get(CACHE_VARIABLE)
    # torch writes its own choice there as it is imported.
    is_users = before not in (None, default_cache_dir())
    if is_users or not _make_private_folder(folder):
        yield
        return
    _remove_unfinished_code(folder)
    os.environ[CACHE_VARIABLE] = str(folder)
    try:
        yield
    finally:
        os.environ[CACHE_VARIABLE] = before or default_cache_dir()


def _make_private_folder(folder: Path) -> bool:
    """Make a folder in which this user alone may write, and return whether it is one."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return False
    is_own = found.st_uid == os.getuid() and not found.st_mode & 0o022
    return is_own and os.access(folder, os.W_OK | os.X_OK)


def _remove_unfinished_code(folder: Path) -> None:
    """Remove libraries that a killed process left half written: torch takes any that is there for a whole one."""
    for build in folder.glob("*/*_CxxBuild"):
        # The lock that torch holds while it builds; that of a dead process is free.
        lock = folder / "locks" / f"{build.name.partition('.')[0]}.lock"
        try:
            with lock.open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                build.with_name(build.name.replace("_CxxBuild", ".so")).unlink(missing_ok=True)
                shutil.rmtree(build, ignore_errors=True)
        # Another process builds it, or has removed it meanwhile.
        except OSError:
            continue


def count_frames() -> Any:
    """Return torch's counters of the functions that it was to compile (`total`), and of those that it did (`ok`)."""
    from torch._dynamo.utils import counters

    return counters["frames"]


class CompileReport(pl.Callback):
    """Says after the first epoch if a part of the network was not compiled, which torch itself takes lightly."""

    def __init__(self, forward: CompiledForward) -> None:
        self.forward = forward
        self._is_due = True
        self._before = self._count_missing()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line, once."""
        missing = self._count_missing() - self._before
        if self._is_due and trainer.is_global_zero and missing:
            print(
                f"trainer.compile: {missing} of the network's parts are not compiled and run plain",
                file=sys.stderr,
            )
        self._is_due = False

    def _count_missing(self) -> int:
        """Return how many functions this process was to compile and did not."""
        frames = count_frames()
        missing: int = frames["total"] - frames["ok"]
        return missing
