"""One run from configuration to record: skip what is finished, resume what is not (training floor)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from omegaconf import OmegaConf

from senet_repro.config.canonical import run_dir, run_key
from senet_repro.config.schema import ConfigError, Run
from senet_repro.results.files import locked, write_text
from senet_repro.results.record import RECORD, Record, read_record
from senet_repro.results.store import read_status, write_status

_LAUNCH_VARIABLES = (
    "LOCAL_RANK",
    "RANK",
    "WORLD_SIZE",
    "NODE_RANK",
    "GROUP_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
)


class RunFailed(RuntimeError):  # noqa: N818 - it reads as the sentence it prints
    """A run that ended without a record; the message says why and where its files are."""


def execute(run: Run, say: Callable[[str], None]) -> tuple[Path, Record]:
    """Train `run` unless its record exists; returns the record and its path.

    Raises:
        RunFailed: training diverged, or its processes died.
        ConfigError: the data or the devices are not what the run needs.
        RecordError: the record that exists cannot be read.
    """
    folder = run_dir(run)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECORD
    if not path.exists():
        with locked(folder, lambda holder: say(f"waiting for {holder}, which trains {folder}")) as lock:
            if not path.exists():
                _train(run, folder, lock)
    return path, read_record(path)


def _train(run: Run, folder: Path, lock: int) -> None:
    say_status = partial(write_status, folder, run_key=run_key(run), seed=run.seed)
    write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(asdict(run))))
    say_status(state="running")
    try:
        if run.trainer.devices > 1:
            _train_in_worker(folder, lock)
        else:
            from senet_repro.training.fit import fit

            fit(run, folder)
    except BaseException as error:
        # Ctrl-C is no verdict on the run: it resumes at its last finished epoch.
        if isinstance(error, Exception):
            say_status(state="failed", reason=str(error) or type(error).__name__)
        raise
    say_status(state="done")


def _train_in_worker(folder: Path, lock: int) -> None:
    """Train in a process tree of its own, which keeps the lock if this process dies before it.

    Lightning starts one process per further device by repeating the command line; repeating Hydra's would run the sweep
    again in each (and cross their process groups). The worker's command is its folder, the same for every process.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _LAUNCH_VARIABLES}
    command = [sys.executable, "-m", "senet_repro.training.worker", str(folder)]
    code = subprocess.run(command, env=environment, pass_fds=[lock], check=False).returncode
    if code:
        reason = read_status(folder).get("reason", f"the training processes of {folder} died")
        raise ConfigError(reason) if code == 2 else RunFailed(reason)
