"""The command line as runs: one point of the grid, or the points of a sweep (config floor; no torch)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from multiprocessing import cpu_count
from typing import NamedTuple

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from senet_repro.config.composition import checked, plain_errors, run_from
from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError

_POINTS = "SENET_REPRO_POINTS"  # tells the processes of a sweep's jobs how many there are


@dataclass(frozen=True, eq=False)
class Point:
    """A point of the command's grid: what would give it alone, and the run, or why there is none."""

    overrides: Sequence[str]
    run: Run | None = None
    error: ConfigError | None = None


class Place(NamedTuple):
    """Which of a sweep's runs a run is."""

    number: int  # from 1
    total: int
    side_by_side: int  # how many are trained at a time


Outcomes = dict[Point, Exception | None]
"""What the jobs of launched points raised, if anything; a job elsewhere may die without a word."""


@dataclass(frozen=True)
class Plans:
    """What is done with the points of a command."""

    choose: Callable[[Sequence[Point]], Sequence[Point]]  # those to launch
    train: Callable[
        [Run, Place | None], None
    ]  # in a process of the launcher's choice, so it must be picklable
    trained: Callable[[Run], None]  # after each run that was trained in this process
    beside: Callable[
        [], AbstractContextManager[object]
    ]  # around jobs in other processes of this machine
    again: Callable[
        [Sequence[Point]], Sequence[Point]
    ]  # of points, those to launch anew when one took the others down
    later: Callable[
        [Outcomes], Sequence[Point]
    ]  # of points, those to launch anew as others had them under way


_plans: list[Plans] = []  # of the command at hand: Hydra makes the sweeper itself
_outcomes: Outcomes = {}


def application(plans: Plans) -> Outcomes:
    """Serve the command line; returns what became of the points that were launched.

    Raises:
        ConfigError: the command line describes no grid; points of it that cannot be are `choose`'s to tell.
    """
    # Hydra would print failures itself and leave with exit code 1; the command line maps them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    _plans[:] = [plans]
    _outcomes.clear()
    train = plans.train
    with plain_errors():
        # Other processes get this function by its value, and so no more of this one than it names.
        hydra.main(version_base="1.3", config_path=str(CONF_DIR), config_name="config")(
            lambda c: _job(c, train)
        )()
    return dict(_outcomes)


def _job(config: DictConfig, train: Callable[[Run, Place | None], None]) -> None:
    hydra_config = HydraConfig.get()
    overrides = list(hydra_config.overrides.task)
    if hydra_config.mode == RunMode.MULTIRUN:
        beside = hydra_config.launcher.get("n_jobs") or 1
        place = Place(
            hydra_config.job.num + 1,
            int(os.environ[_POINTS]),
            beside if beside > 0 else cpu_count(),
        )
        _train(checked(overrides, run_from(config)), place, train)
        return
    for point in _plans[0].choose([_point(overrides, lambda _: config)]):
        assert point.run is not None
        _outcomes[point] = None
        try:
            _train(point.run, None, train)
        except Exception as error:
            _outcomes[point] = error


def _train(run: Run, place: Place | None, train: Callable[[Run, Place | None], None]) -> None:
    train(run, place)
    for plans in _plans:  # none in a process of another launcher's
        plans.trained(run)


def launched(
    grid: Sequence[Sequence[str]],
    compose: Callable[[Sequence[str]], DictConfig],
    launcher: Launcher,
    master: DictConfig,
) -> None:
    """Launch what the application chooses of a grid of overrides; for the sweeper."""
    (plans,) = _plans
    left = plans.choose([_point(overrides, compose) for overrides in grid])
    is_beside = "n_jobs" in master.hydra.launcher
    while left:
        os.environ[_POINTS] = str(len(left))
        try:
            with plans.beside() if is_beside else nullcontext():
                jobs = launcher.launch([list(point.overrides) for point in left], initial_job_idx=0)
        except Exception as error:  # the launcher's own, when the process of a job died
            _outcomes.update(dict.fromkeys(left, error))
            left = plans.again(left) if is_beside else ()
        else:
            outcomes = dict(zip(left, map(_error_of, jobs), strict=True))
            _outcomes.update(outcomes)
            left = plans.later(outcomes)


def _point(overrides: Sequence[str], compose: Callable[[Sequence[str]], DictConfig]) -> Point:
    try:
        with plain_errors():
            config = compose(overrides)
            ours = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
            return Point(overrides, checked(overrides, run_from(ours)))
    except ConfigError as error:
        return Point(overrides, error=error)


def _error_of(job: JobReturn) -> Exception | None:
    return job._return_value if job.status == JobStatus.FAILED else None
