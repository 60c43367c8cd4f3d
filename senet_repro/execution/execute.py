"""One run from configuration to record: skip what is finished, resume what is not (training floor)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from senet_repro.config.identity import run_dir, run_key
from senet_repro.config.schema import Run
from senet_repro.core.errors import Stopped, TrainedElsewhere, reason_of
from senet_repro.core.files import remove_unfinished, write_text
from senet_repro.core.lock import locked
from senet_repro.core.signals import Deferral
from senet_repro.execution.failure_report import forget_failure, log_tail_of
from senet_repro.execution.nodes import Meeting, call, join, node_of
from senet_repro.execution.processes import train_in_processes
from senet_repro.results.record import Record, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status, write_status
from senet_repro.tasks import find_task
from senet_repro.training.devices import list_visible_gpus, reserve_gpus


def execute(run: Run, say: Callable[[str], None], wait: bool = True) -> tuple[Path, Record]:
    """Train `run` unless its record exists; returns the record and its path. On several nodes, each calls this.

    What another process trains is waited for, unless told otherwise; nodes always wait, for each other.

    Raises:
        TrainedElsewhere: another process trains the run.
        RunFailed: training diverged, ran out of memory, or its processes died.
        ConfigError: the data or the devices are not what the run needs.
        RecordError: the record that exists cannot be read.
        OSError: the results folder cannot be written to.
        Stopped: a signal came; the run is resumed the next time.
    """
    folder = run_dir(run)
    path = RunFolder(folder).record_file
    node = node_of(run.trainer.nodes)
    if node:
        _train_with_node_0(run, folder, node)
    elif not path.exists():
        with locked(folder, say, wait or run.trainer.nodes > 1) as lock:
            if lock is None:
                raise TrainedElsewhere(f"another process trains {folder}")
            if not path.exists():
                _train(run, folder, lock)
    return path, read_record(path)


def _train(run: Run, folder: Path, lock: int) -> None:
    say_status = partial(
        write_status, folder, run_key=run_key(run), seed=run.seed, epochs=run.recipe.epochs
    )
    try:
        for place in (folder, RunFolder(folder).checkpoints):
            remove_unfinished(place)
        forget_failure(folder)
        write_text(
            RunFolder(folder).settings_file, OmegaConf.to_yaml(OmegaConf.create(asdict(run)))
        )
        say_status(state="running")
        _until_its_end(lambda: _train_devices(run, folder, lock))
    except Exception as error:
        with suppress(OSError):  # the disk may be what failed
            say_status(state="failed", reason=reason_of(error), log_tail=log_tail_of(error))
        raise
    except BaseException:
        with suppress(OSError):
            say_status(state="stopped", **_how_far(folder))
        raise
    say_status(state="done", epoch=run.recipe.epochs)


def _train_with_node_0(run: Run, folder: Path, node: int) -> None:
    left: Meeting | None = None

    def train() -> None:
        nonlocal left
        left = join(folder, node, left)
        if left:
            train_in_processes(run, folder, left, lock=None)

    _until_its_end(train)


def _until_its_end(train: Callable[[], None]) -> None:
    """Train, and where a signal was survived go on from the checkpoint."""
    while True:
        try:
            return train()
        except Stopped as stopped:
            if stopped.is_final:
                raise


def _train_devices(run: Run, folder: Path, lock: int) -> None:
    if run.trainer.devices * run.trainer.nodes > 1:
        train_in_processes(run, folder, call(folder, run.trainer.nodes), lock)
    else:
        _train_here(run, folder)


def _train_here(run: Run, folder: Path) -> None:
    with (
        Deferral() as deferral
    ):  # already here: libraries may swallow what a signal raises while they are imported
        from senet_repro.training.fit import fit

        task = find_task(run.task)
        with reserve_gpus(run.trainer) as gpus:
            visible = list_visible_gpus() if gpus else []
            fit(run, task, folder, deferral, [visible.index(name) for name in gpus])


def _how_far(folder: Path) -> dict[str, Any]:
    return {
        key: value for key, value in read_status(folder).items() if key in ("epoch", "epoch_share")
    }
