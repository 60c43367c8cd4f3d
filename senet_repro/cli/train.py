"""The default verb: train one point of the grid, or sweep many."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from senet_repro.cli.application import Outcomes, Place, Plans, Point, application
from senet_repro.cli.dry import check_weights, print_plan
from senet_repro.cli.publish import Publisher
from senet_repro.config.identity import run_dir
from senet_repro.config.paper_tables import format_selection, label_table
from senet_repro.config.schema import Run
from senet_repro.core.durations import clock
from senet_repro.core.errors import (
    ConfigError,
    RunFailed,
    Stopped,
    TrainedElsewhere,
    exit_code_of,
    reason_of,
)
from senet_repro.core.lock import is_locked
from senet_repro.core.signals import Deferral
from senet_repro.execution.execute import execute
from senet_repro.mirrors.wandb_home import settle
from senet_repro.results.plan import PlannedRun, planned, write_plan
from senet_repro.results.record import RecordError, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status
from senet_repro.training.progress import finish_line

MOST_DEATHS = 2
LOOK_S = 1
EXPECTED = (ConfigError, RunFailed, OSError)


def main() -> int:
    """Train what the command line asks for; 0 if every run has its record, 1 if one failed, 2 if one cannot be."""
    command = Command()
    plans = Plans(
        command.choose,
        perform,
        command.trained,
        lambda: Deferral(_jobs_beside),
        command.again,
        command.later,
    )
    return command.finish(application(plans))


class Command:
    """What this process does around the runs of a command, wherever they are trained."""

    def __init__(self) -> None:
        self._illegal: dict[str, Point] = {}
        self._is_sweep = False
        self._told: set[Path] = set()  # records whose path was printed
        self._deaths: Counter[Path] = Counter()  # of the processes of jobs beside each other
        self._publisher = Publisher()

    def choose(self, points: Sequence[Point]) -> Sequence[Point]:
        """The points to train: each run once and, in a sweep, none that has its record; of a dry command none."""
        self._is_sweep = len(points) > 1
        self._illegal = {
            _name(number, points): point for number, point in enumerate(points, 1) if point.error
        }
        legal = [(point.run, point) for point in points if point.run]
        if any(run.dry for run, _ in legal):
            for run, _ in legal:
                check_weights(run)
            print_plan([run for run, _ in legal])
            return []
        to_train = {run_dir(run): point for run, point in legal}
        if self._is_sweep:
            _write_plans(legal)
            done = [folder for folder in to_train if _has_record(folder)]
            for folder in done:
                del to_train[folder]
                self._tell(folder)
            if done:
                print(
                    f"{len(done)} of {len(done) + len(to_train)} runs have their record already",
                    file=sys.stderr,
                )
        if any(point.run and point.run.logger.name == "wandb" for point in to_train.values()):
            settle()
        return list(to_train.values())

    def trained(self, run: Run) -> None:
        """Say where the record of a run is, and let W&B know."""
        self._tell(run_dir(run))
        self._publisher.after(run, read_record(RunFolder.of(run).record_file))
        if run.table and not self._is_sweep:
            print(
                f"{label_table(run.table)} has {len(run.table.rows)} rows: -m {format_selection(run.table)}",
                file=sys.stderr,
            )

    def again(self, points: Sequence[Point]) -> Sequence[Point]:
        """Those that have not ended, when the process of one died and its launcher ended the others with it.

        A run that was under way twice when that happened is given up: it may be the one. Where none was under way, it
        is the launcher that cannot.
        """
        left = []
        deaths = self._deaths.total()
        for point in points:
            assert point.run is not None
            folder = run_dir(point.run)
            state = read_status(folder).get("state")
            self._deaths[folder] += state == "running"
            if state not in ("done", "failed") and self._deaths[folder] < MOST_DEATHS:
                left.append(point)
        if self._deaths.total() == deaths:
            return ()
        print(f"a job's process died; {len(left)} runs are launched anew", file=sys.stderr)
        return left

    def later(self, outcomes: Outcomes) -> Sequence[Point]:
        """Those that other processes trained, if they still have no record; as soon as one of them is free."""
        elsewhere = {
            run_dir(point.run): point
            for point, error in outcomes.items()
            if point.run and isinstance(error, TrainedElsewhere)
        }
        if elsewhere:
            print(
                f"other processes train {len(elsewhere)} of the runs: waiting for the first",
                file=sys.stderr,
            )
        while elsewhere and all(is_locked(folder) for folder in elsewhere):
            time.sleep(LOOK_S)
        return [point for folder, point in elsewhere.items() if not _has_record(folder)]

    def finish(self, outcomes: Outcomes) -> int:
        """Name what failed, why, and the command that repeats it; the exit code is the worst of them."""
        failures: list[tuple[str, Point, Exception]] = [
            (name, point, point.error) for name, point in self._illegal.items() if point.error
        ]
        for point, error in outcomes.items():
            assert point.run is not None
            folder = run_dir(point.run)
            if not _has_record(folder):
                failures.append(
                    (
                        str(folder),
                        point,
                        error if isinstance(error, EXPECTED) else _said(folder, error),
                    )
                )
            elif folder not in self._told:
                self.trained(point.run)
        self._publisher.close()
        if not failures:
            return 0
        print(
            f"senet_repro: {len(failures)} {'run' if len(failures) == 1 else 'runs'} failed",
            file=sys.stderr,
        )
        for name, point, error in failures:
            print(f"  {name}: {reason_of(error)}", file=sys.stderr)
            if point.run:
                print(f"    python -m senet_repro {shlex.join(point.overrides)}", file=sys.stderr)
        return max(exit_code_of(error) for _, _, error in failures)

    def _tell(self, folder: Path) -> None:
        self._told.add(folder)
        print(RunFolder(folder).record_file, flush=True)


def perform(run: Run, place: Place | None) -> None:
    """Train a run, in the process that a launcher chose for it, and tell the result; of a sweep, only if it is free.

    Raises:
        RunFailed: as `execute`, and where a job beside others was stopped.
    """
    if place and _has_record(run_dir(run)):
        return  # another process was quicker
    # A job that was requeued waits: what its lost node had locked may be free only a while later.
    wait = place is None or int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0
    is_beside = multiprocessing.current_process().name != "MainProcess"
    started_s = time.monotonic()
    try:
        with _Beside.at_work() if is_beside else nullcontext():
            record = execute(run, lambda line: print(line, file=sys.stderr), wait)[1]
    except Exception as error:
        if not isinstance(error, EXPECTED):
            traceback.print_exc()
        raise
    took_s = time.monotonic() - started_s
    at = f"[{place.number}/{place.total}] " if place else ""
    left_s = took_s * (place.total - place.number) / place.side_by_side if place else 0
    finish_line(
        f"{at}{record.name} seed {record.seed}  top-1 err {record.metrics['top1_err_pct']:.2f} %  "
        f"top-5 err {record.metrics['top5_err_pct']:.2f} % of {record.eval_images:,} images  {clock(took_s)}"
        + (f", about {clock(left_s)} left" if left_s >= 1 else "")
    )


def _write_plans(points: Sequence[tuple[Run, Point]]) -> None:
    """Write down what a sweep is to train, in each results folder that it goes to."""
    plans: dict[str, list[PlannedRun]] = {}
    for run, point in points:
        plans.setdefault(run.results_dir, []).append(planned(run, point.overrides))
    for results_dir, runs in plans.items():
        write_plan(Path(results_dir), runs)


def _name(number: int, points: Sequence[Point]) -> str:
    return f"point {number} of the sweep" if len(points) > 1 else "this command"


def _has_record(folder: Path) -> bool:
    try:
        read_record(RunFolder(folder).record_file)
    except RecordError:  # none, or one that only its run can tell what to do with
        return False
    return True


def _said(folder: Path, error: Exception | None) -> Exception:
    """Why a run has no record, as its folder tells; else what its job raised, which may be a launcher's own words."""
    reason = read_status(folder).get("reason")
    return RunFailed(reason) if reason else error or RunFailed("its job ended without a word")


def _jobs_beside() -> list[int]:
    """The processes that a launcher has started beside this one."""
    return [job.pid for job in multiprocessing.active_children() if job.pid]


class _Beside:
    """A process for jobs beside others: it leaves Ctrl-C to its parent, and once told to stop begins nothing more."""

    is_told = False
    is_at_work = False

    @classmethod
    @contextmanager
    def at_work(cls) -> Iterator[None]:
        """Around a job.

        Raises:
            RunFailed: the process was told to stop, before or meanwhile.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, cls._told)
        if cls.is_told:
            raise RunFailed("stopped before it began")
        cls.is_at_work = True
        try:
            yield
        except Stopped:
            raise RunFailed("stopped; the same command goes on from here") from None
        finally:
            cls.is_at_work = False

    @classmethod
    def _told(cls, signum: int, _frame: object) -> None:
        cls.is_told = True
        if (
            cls.is_at_work
        ):  # elsewhere it would take the launcher's process down, and the other jobs with it
            raise Stopped(signum)
