"""The default verb: train one point of the grid, or sweep many.

Hydra reads the command line here, and nothing above `config/composition.py` but this file knows it:

    one run    hydra.main --> _train_single_run --------------> Command.train_points, in this process
    a sweep    hydra.main --> GridSweeper --> launch_grid -----> Command.train_points --> HydraLauncher.launch_jobs
                              (hydra_plugins/)                                            --> Hydra's launcher
                                                                                          --> _train_sweep_job, in a
                                                                                              process of its choice
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, read_write

from senet_repro.cli.command import Command, Outcomes
from senet_repro.cli.command_line import CommandLine
from senet_repro.cli.job import train_run
from senet_repro.cli.points import Point, Position, read_point
from senet_repro.config.composition import run_from
from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.explain import plain_errors
from senet_repro.config.identity import run_dir
from senet_repro.config.overrides import find_overruled, read_overrides, read_run_overrides
from senet_repro.config.schema import Run
from senet_repro.config.settings import check_settings
from senet_repro.core.errors import ConfigError, DataError
from senet_repro.core.parent_watch import ParentWatch
from senet_repro.core.signals import Deferral
from senet_repro.core.slow_work import SlowWork
from senet_repro.training.time_slices import describe_time_slices

# Hydra makes the sweeper itself, and calls it and the jobs with arguments of its own: they find the command here. In a
# process that a launcher started there is none.
_command: Command | None = None

# As after SIGTERM, though nobody is there to read it.
EXIT_CODE_OF_ORPHANS = 143


def main(line: CommandLine, *, leaves_diverged: bool = False) -> int:
    """Train what the command line asks for; 0 if every run has its record, 1 if one failed, 2 if one cannot be.

    With `leaves_diverged` runs that diverged before are not trained once more, and count as no failures.

    Raises:
        ConfigError: the command line describes no grid.
    """
    global _command
    _command = Command(leaves_diverged=leaves_diverged)
    # Hydra takes its arguments from there.
    sys.argv[1:] = _write_arguments(line)
    # Hydra would print failures itself and leave with exit code 1; cli/main.py maps them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    serve = hydra.main(version_base="1.3", config_path=str(CONF_DIR), config_name="config")
    with plain_errors():
        serve(_train_single_run)()
    return _command.finish()


def _write_arguments(line: CommandLine) -> list[str]:
    """Return the arguments of a command as Hydra is to have them.

    Raises:
        ConfigError: one of them cannot be given, or cannot be read.
    """
    # These are no settings but what Hydra is to complete.
    if "--shell-completion" in line.flags:
        return [*line.flags, *line.words]
    read = read_overrides if line.is_sweep else read_run_overrides
    overrides = read(line.words)
    check_settings(overrides)
    for word, later in find_overruled(line.words):
        print(f"{word} does not count: {later} comes after it", file=sys.stderr)
    return [*line.flags, *overrides]


def current_command() -> Command:
    """Return the command of this process."""
    assert _command is not None
    return _command


def launch_grid(grid: Sequence[Sequence[str]], context: HydraContext, config: DictConfig) -> None:
    """Train the points of a sweep, each given by its overrides, for the sweeper that holds Hydra's objects.

    Raises:
        ConfigError: the launcher is to train no runs at a time, or a part of the runs is dry.
    """
    if config.hydra.launcher.get("n_jobs") == 0:
        raise ConfigError(
            "hydra.launcher.n_jobs=0: give how many runs are trained at a time, such as 2, or -1 for one per core"
        )
    compose = partial(_compose_point, context.config_loader, config)
    points = []
    with SlowWork("composing the points of the sweep") as work:
        for overrides in grid:
            points.append(read_point(overrides, compose))
            work.count(len(points), len(grid))
    launcher = HydraLauncher(context, config)
    current_command().train_points(points, launcher)
    launcher.end_processes()


def _compose_point(
    loader: ConfigLoader, config: DictConfig, overrides: Sequence[str]
) -> DictConfig:
    return loader.load_sweep_config(config, list(overrides))


def _train_single_run(config: DictConfig) -> None:
    """Train the run of a command that is no sweep; Hydra calls this."""
    try:
        # Reading them looks up the values that they take from elsewhere, which may not be there.
        with plain_errors():
            overrides = list(HydraConfig.get().overrides.task)
        point = read_point(overrides, lambda _: config)
        current_command().train_points([point], ThisProcess())
    except ConfigError as error:
        # Hydra would print a line of its own before whatever is raised here.
        current_command().refuse(error)


class ThisProcess:
    """Trains the run of a command that is no sweep."""

    starts_processes = False

    def launch_jobs(self, points: Sequence[Point]) -> Outcomes:
        """Train the runs one after another."""
        outcomes: Outcomes = {}
        for point in points:
            outcomes[point] = None
            try:
                train_run(point.run, point.overrides)
                current_command().announce_record(point.run)
            except Exception as error:
                outcomes[point] = error
        return outcomes


class HydraLauncher:
    """Trains the runs of a sweep through Hydra's launcher: in this process, in several, or on a cluster."""

    def __init__(self, context: HydraContext, config: DictConfig) -> None:
        """Take what Hydra knows of a sweep; `config` holds Hydra's own part too."""
        self._context = context
        self._config = config
        # How many jobs run beside each other; None before the first launch.
        self._side_by_side: int | None = None

    @property
    def starts_processes(self) -> bool:
        """Whether jobs run beside each other, in processes of this machine: joblib's do, unless it is to run one."""
        return self._side_by_side is not None and self._side_by_side > 1

    def launch_jobs(self, points: Sequence[Point]) -> Outcomes:
        """Train each run in a job, and return what the jobs raised, once all have ended."""
        # Once for the command: joblib's processes live on from launch to launch, but not if their number changes.
        if self._side_by_side is None:
            runs = [point.run for point in points]
            self._side_by_side = count_side_by_side(self._config.hydra.launcher, runs)
            line = describe_time_slices(runs, self._side_by_side)
            if line:
                print(line, file=sys.stderr)
        task = partial(
            _train_sweep_job,
            total=len(points),
            side_by_side=self._side_by_side,
            starts_processes=self.starts_processes,
            folders=[run_dir(point.run) for point in points],
            parent=os.getpid(),
        )
        launcher = self._build_launcher(task, self._side_by_side)
        overrides = [list(point.overrides) for point in points]
        launch = partial(launcher.launch, overrides, initial_job_idx=0)
        jobs = _call_deferring(launch) if self.starts_processes else launch()
        return {point: _error_of(job) for point, job in zip(points, jobs, strict=True)}

    def end_processes(self) -> None:
        """End the processes that joblib keeps for further jobs, once there are none.

        They would end by themselves with this one, but take two seconds to take torch apart.
        """
        if self.starts_processes:
            from joblib.externals.loky import get_reusable_executor

            get_reusable_executor(reuse=True).shutdown(kill_workers=True)

    def _build_launcher(self, task: TaskFunction, side_by_side: int) -> Launcher:
        """Return Hydra's launcher, made for a function: it sends the function to its jobs, with what they must know."""
        config = self._config.copy()
        if "n_jobs" in config.hydra.launcher:
            with read_write(config):
                config.hydra.launcher.n_jobs = side_by_side
        return Plugins.instance().instantiate_launcher(
            hydra_context=self._context, task_function=task, config=config
        )


def count_side_by_side(launcher: DictConfig, runs: Sequence[Run]) -> int:
    """Return how many of these runs are trained at a time; 1 for a cluster, which decides that itself."""
    jobs: int = launcher.get("n_jobs") or 1
    if jobs < 0:
        jobs = _share_out_cores(jobs, runs)
    return min(jobs, len(runs))


def _share_out_cores(spared: int, runs: Sequence[Run]) -> int:
    """Return for how many of these runs at a time there are cores; joblib's -1 spares none of them, -2 one."""
    # Late, since it takes a moment and a command of one run needs none of it.
    import joblib

    # Runs over nodes meet one after another, in the same order on each of them.
    if any(run.trainer.nodes > 1 for run in runs):
        return 1
    most_devices = max(run.trainer.devices for run in runs)
    cores: int = joblib.effective_n_jobs(spared)
    return max(cores // most_devices, 1)


def _call_deferring(launch: Callable[[], Sequence[JobReturn]]) -> Sequence[JobReturn]:
    """Launch jobs beside each other: a signal stops them at safe points, and then ends this process."""
    deferral = Deferral(_list_job_processes)
    try:
        with deferral:
            return launch()
    finally:
        deferral.deliver_signal()


def _train_sweep_job(
    config: DictConfig,
    *,
    total: int,
    side_by_side: int,
    starts_processes: bool,
    folders: Sequence[Path],
    parent: int,
) -> None:
    """Train one run of a sweep of `total`, in the process that a launcher chose for it.

    `folders` are those in which the command expects the records of its runs, `parent` is the command's process.

    Raises:
        DataError: other pictures lie here than where the command was given, or than when.
    """
    hydra_config: Any = HydraConfig.get()
    overrides = list(hydra_config.overrides.task)
    run = run_from(config)
    number = hydra_config.job.num
    if run_dir(run) != folders[number]:
        raise DataError(
            f"data.root={run.data.root}: not the pictures that the command found there; "
            "give it again, where the same set lies at the same path on every machine"
        )
    position = Position(number + 1, total, side_by_side, folders)
    # A job in another process has no command: the run is announced when the launcher returns.
    if starts_processes and _command is None:
        _train_beside_others(partial(train_run, run, overrides, position, is_beside=True), parent)
        return
    train_run(run, overrides, position)
    if _command is not None:
        _command.announce_record(run)


def _train_beside_others(train: Callable[[], None], parent: int) -> None:
    """Train a run in a process that joblib started, as long as the command's process, its parent, is there."""
    with ParentWatch(parent) as watch:
        try:
            train()
        finally:
            # joblib's own code would wait for further jobs, which nobody gives it, for five minutes.
            if watch.is_parent_gone:
                os._exit(EXIT_CODE_OF_ORPHANS)


def _list_job_processes() -> list[int]:
    """Return the ids of the processes that a launcher has started beside this one."""
    return [job.pid for job in multiprocessing.active_children() if job.pid]


def _error_of(job: JobReturn) -> Exception | None:
    """Return what a job raised, or None."""
    if job.status != JobStatus.FAILED:
        return None
    # The public `return_value` would raise it.
    error: Exception = job._return_value
    return error
