"""One command and its runs, wherever they are trained: a loop until each has its record or has failed.

    select pending --> launch --+--> the launcher failed: a job's process died      --> launch again what it took down
                       ^        |
                       |        +--> the jobs ended: other processes train the rest --> wait, launch what they left
                       +------------------------------------------------------------+
    finish: announce the records, and report the failures with the commands that repeat them

A single run and a sweep take this same road. The command knows no Hydra: `cli/train.py` hands it the points of the
grid, and a launcher for their jobs.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeGuard

from senet_repro.cli.job import EXPECTED_ERRORS, has_record
from senet_repro.cli.points import IllegalPoint, Point
from senet_repro.cli.sweep_plans import print_plans, say_unplanned, write_plans
from senet_repro.config.detection import require_ap_library, require_first_weights
from senet_repro.config.found_set import check_set
from senet_repro.config.identity import run_dir
from senet_repro.config.paper_tables import format_selection, label_table
from senet_repro.config.schema import DETECTION, Run
from senet_repro.core.errors import (
    ConfigError,
    RunFailed,
    TrainedElsewhere,
    exit_code_of,
    is_disk_full,
    reason_of,
)
from senet_repro.core.lock import is_locked
from senet_repro.core.printing import print_text
from senet_repro.core.wording import choose_form, count_noun, name_some
from senet_repro.results.first_weights import check_first_weights
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status

# A run that was under way so often when a job's process died is not launched again: it may be what kills it.
MOST_DEATHS = 2
# The points of a sweep that one line names.
MOST_NAMED = 6
LOOK_S = 1

Outcomes = dict[Point, Exception | None]
"""The error of each launched point's job; None without one, also where a job elsewhere died without a word."""


class Launcher(Protocol):
    """Where the jobs of a command run."""

    @property
    def starts_processes(self) -> bool:
        """Whether jobs run beside each other, in processes that the launcher starts on this machine."""

    def launch_jobs(self, points: Sequence[Point]) -> Outcomes:
        """Train the runs of these points, each in a job, and return once all jobs have ended.

        Raises:
            Exception: the launcher's own failure, such as the death of a job's process, and no job's.
        """


@dataclass(frozen=True)
class Failure:
    """A point of the command that has no record at its end."""

    name: str
    error: Exception
    # The command line that trains the run alone; None where there is no run.
    repeat: Sequence[str] | None


class Command:
    """The runs of one command, from the points of its grid to its exit code."""

    def __init__(self, *, leaves_diverged: bool = False) -> None:
        """Begin without points; `leaves_diverged` says that runs that diverged are not to be trained once more."""
        self._leaves_diverged = leaves_diverged
        self._is_sweep = False
        # By their numbers in the grid, from 1.
        self._illegal_points: dict[int, IllegalPoint] = {}
        # Why the command as a whole cannot be.
        self._refusal: ConfigError | None = None
        self._outcomes: Outcomes = {}
        # Folders of the runs whose record's path was printed.
        self._announced: set[Path] = set()
        # How often a run was under way when the process of a job died.
        self._deaths: Counter[Path] = Counter()
        # The runs that this command was to train, for their copies on W&B.
        self._to_train: list[Run] = []

    def train_points(self, points: Sequence[Point | IllegalPoint], launcher: Launcher) -> None:
        """Train the runs of a grid's points that still need it."""
        pending = self._select_pending(points)
        while pending:
            try:
                outcomes = launcher.launch_jobs(pending)
            except Exception as error:
                self._outcomes.update(dict.fromkeys(pending, error))
                pending = self._select_after_death(pending) if launcher.starts_processes else []
            else:
                self._outcomes.update(outcomes)
                pending = self._wait_for_others(outcomes)

    def announce_record(self, run: Run) -> None:
        """Print where the record of a run is, and how many rows its table has."""
        folder = run_dir(run)
        self._print_record(folder)
        if run.table and not self._is_sweep:
            print(
                f"{label_table(run.table)} has {len(run.table.rows)} rows: -m {format_selection(run.table)}",
                file=sys.stderr,
            )

    def refuse(self, error: ConfigError) -> None:
        """Note why the command cannot be; `finish` raises it."""
        self._refusal = error

    def finish(self) -> int:
        """Announce the records that other processes left, report the failures, and return the worst exit code.

        Raises:
            ConfigError: the command is one run, or none, that cannot be.
        """
        if self._refusal is not None:
            raise self._refusal
        failures = [Failure(name, error, None) for name, error in self._group_illegal_points()]
        for point, error in self._outcomes.items():
            folder = run_dir(point.run)
            if not has_record(folder):
                failures.append(Failure(str(folder), _find_cause(folder, error), point.overrides))
            elif folder not in self._announced:
                self.announce_record(point.run)
        self._write_copies()
        if not failures:
            return 0
        self._refuse_as_a_whole(failures)
        # A failure may stand for several points; of runs there is one for each.
        total = len(self._illegal_points) + sum(failure.repeat is not None for failure in failures)
        print(f"senet_repro: {count_noun(total, 'run')} failed", file=sys.stderr)
        for failure in failures:
            print_text(f"  {failure.name}: {reason_of(failure.error)}", file=sys.stderr)
            if failure.repeat is not None:
                print(f"    python -m senet_repro {shlex.join(failure.repeat)}", file=sys.stderr)
        return max(exit_code_of(failure.error) for failure in failures)

    def _write_copies(self) -> None:
        """Write W&B's files of the runs that ask for them."""
        if any(run.logger.name == "wandb" for run in self._to_train):
            from senet_repro.cli.wandb_copies import copy_results

            copy_results(self._to_train)

    def _refuse_as_a_whole(self, failures: Sequence[Failure]) -> None:
        """Accept failures that are to be told one by one.

        Raises:
            ConfigError: no run of the command can be, and for one and the same reason: there is nothing to repeat.
        """
        reasons = {reason_of(failure.error) for failure in failures}
        can_none_be = all(exit_code_of(failure.error) == 2 for failure in failures)
        if can_none_be and len(reasons) == 1 and not self._announced:
            raise ConfigError(reasons.pop()) from failures[0].error

    def _select_pending(self, points: Sequence[Point | IllegalPoint]) -> list[Point]:
        """Return the points to train: each run once and, in a sweep, without its record.

        A dry command trains nothing, and prints what it would train.

        Raises:
            ConfigError: a part of the runs is dry.
        """
        self._is_sweep = len(points) > 1
        legal_points: list[Point] = []
        for number, point in enumerate(points, 1):
            if isinstance(point, Point):
                legal_points.append(point)
            else:
                self._illegal_points[number] = point
        if len({point.run.dry for point in legal_points}) > 1:
            raise ConfigError(
                "dry=true,false: a command trains its runs or tells of them; give dry=true or dry=false"
            )
        if legal_points:
            self._announce_illegal_points()
        if any(point.run.dry for point in legal_points):
            # Late, as all that builds tables: a command that cannot be is answered without it.
            from senet_repro.cli.dry import print_dry

            print_dry([point.run for point in legal_points])
            if self._is_sweep:
                print_plans(legal_points)
            return []
        # Before any is left out: which runs have their record must not change which seed comes first.
        in_rounds = _order_in_rounds(legal_points)
        # Points that describe the same run share its folder: the last of them is trained.
        by_folder = {run_dir(point.run): point for point in in_rounds}
        self._drop_impossible(by_folder)
        say_unplanned([point.run for point in by_folder.values()])
        if self._is_sweep:
            write_plans([point for point in legal_points if run_dir(point.run) in by_folder])
            self._drop_finished(by_folder)
        if self._leaves_diverged:
            self._drop_diverged(by_folder)
        pending = list(by_folder.values())
        self._to_train = [point.run for point in pending]
        return pending

    def _announce_illegal_points(self) -> None:
        """Name the points that cannot be, before hours are spent on the others; `finish` reports them once more."""
        for name, error in self._group_illegal_points():
            verb = "is" if name.startswith("point ") else "are"
            print_text(f"{name} {verb} left out: {error}", file=sys.stderr)

    def _group_illegal_points(self) -> list[tuple[str, ConfigError]]:
        """Return each reason for which points cannot be, with the name of the point, or of those that share it."""
        numbers: dict[str, list[int]] = {}
        errors: dict[str, ConfigError] = {}
        for number, point in self._illegal_points.items():
            reason = str(point.error)
            numbers.setdefault(reason, []).append(number)
            errors[reason] = point.error
        return [(_name_points(numbers[reason]), error) for reason, error in errors.items()]

    def _drop_impossible(self, by_folder: dict[Path, Point]) -> None:
        """Take the runs out whose data, first weights or libraries are missing, before an import takes long."""
        for folder, point in list(by_folder.items()):
            # A finished run only has its record printed.
            if has_record(folder):
                continue
            try:
                require_first_weights(point.run)
                check_first_weights(point.run)
                check_set(point.run)
                if point.run.task == DETECTION:
                    require_ap_library()
            except (ConfigError, OSError) as error:
                self._outcomes[point] = error
                del by_folder[folder]

    def _drop_finished(self, by_folder: dict[Path, Point]) -> None:
        """Take the runs out that have their record, and print where it is."""
        total = len(by_folder)
        finished = [folder for folder in by_folder if has_record(folder)]
        for folder in finished:
            del by_folder[folder]
            self._print_record(folder)
        if finished:
            print(f"{len(finished)} of {total} runs have their record already", file=sys.stderr)

    def _drop_diverged(self, by_folder: dict[Path, Point]) -> None:
        """Take the runs out that diverged, which they would do again."""
        diverged = [folder for folder in by_folder if read_status(folder).get("diverged") is True]
        for folder in diverged:
            del by_folder[folder]
        if diverged:
            runs = count_noun(len(diverged), "run")
            left = choose_form(len(diverged), "it is", "they are")
            print(f"{runs} diverged, and would do so again: left as {left}", file=sys.stderr)

    def _select_after_death(self, points: Sequence[Point]) -> list[Point]:
        """Return the points to launch again, when a job's process died and the launcher ended the others with it.

        These are the runs that have not ended, but for one that was under way at `MOST_DEATHS` such deaths. None is
        returned if no run was under way: then it is the launcher itself that cannot work.
        """
        unfinished: list[Point] = []
        was_one_running = False
        for point in points:
            folder = run_dir(point.run)
            state = read_status(folder).get("state")
            if state == "running":
                was_one_running = True
                self._deaths[folder] += 1
            if state not in ("done", "failed") and self._deaths[folder] < MOST_DEATHS:
                unfinished.append(point)
        if not was_one_running:
            return []
        print(f"a job's process died; {len(unfinished)} runs are launched anew", file=sys.stderr)
        return unfinished

    def _wait_for_others(self, outcomes: Outcomes) -> list[Point]:
        """Return the points whose runs other processes had under way, and left without a record.

        There is something to return as soon as one of these processes has ended, so this waits for the first.
        """
        elsewhere = {
            run_dir(point.run): point
            for point, error in outcomes.items()
            if isinstance(error, TrainedElsewhere)
        }
        if not elsewhere:
            return []
        print(
            f"other processes train {len(elsewhere)} of the runs: waiting for the first",
            file=sys.stderr,
        )
        while all(is_locked(folder) for folder in elsewhere):
            time.sleep(LOOK_S)
        return [point for folder, point in elsewhere.items() if not has_record(folder)]

    def _print_record(self, folder: Path) -> None:
        self._announced.add(folder)
        print(RunFolder(folder).record_file, flush=True)


def _order_in_rounds(points: Sequence[Point]) -> list[Point]:
    """Return the points seed by seed: whenever time ends, there is a whole table with fewer seeds.

    Seeds and rows keep the order in which the command gives them.
    """
    rounds: dict[int, list[Point]] = {}
    for point in points:
        rounds.setdefault(point.run.seed, []).append(point)
    ordered = []
    for of_seed in rounds.values():
        ordered += of_seed
    return ordered


def _name_points(numbers: Sequence[int]) -> str:
    """Return points of a sweep by their numbers; of many the first."""
    if len(numbers) == 1:
        return f"point {numbers[0]} of the sweep"
    return f"points {name_some(numbers, MOST_NAMED)} of the sweep"


def _is_of_folder(error: Exception | None, folder: Path) -> TypeGuard[OSError]:
    """Return whether the system refused a file of a run, or the folder of results, though the disk is not full."""
    if not isinstance(error, OSError) or not error.filename or is_disk_full(error):
        return False
    return Path(str(error.filename)).is_relative_to(folder.parents[1])


def _find_cause(folder: Path, error: Exception | None) -> Exception:
    """Return why a run has no record: its job's error, or what its folder holds where that is none of ours.

    A job's error may be the launcher's own words for a process that it lost.
    """
    if _is_of_folder(error, folder):
        return ConfigError(
            f"{reason_of(error)}; give a results folder to write to, results_dir=DIR"
        )
    if isinstance(error, EXPECTED_ERRORS):
        return error
    reason = read_status(folder).get("reason")
    if reason:
        return RunFailed(reason)
    return error or RunFailed("its job ended without a word")
