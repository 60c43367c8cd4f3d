"""`python -m senet_repro prune`: remove what failed and what no command would go on with, after asking."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from senet_repro.cli.options import add_results_option, require_results
from senet_repro.config.composition import compose, run_as_stated, run_from
from senet_repro.config.identity import run_dir, run_key
from senet_repro.core.errors import ConfigError, DataError, reason_of
from senet_repro.core.lock import hold_lock, is_locked
from senet_repro.core.printing import print_line, print_skipped
from senet_repro.core.wording import count_noun
from senet_repro.results.access import explain_access, explain_forbidden
from senet_repro.results.plan import PLANS, PlannedRun, drop_planned, read_plans
from senet_repro.results.record import NoRecordError, RecordError, read_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.run_states import first_line
from senet_repro.results.seed_folders import list_seed_folders
from senet_repro.results.store import read_status

DESCRIPTION = "Remove failed runs, and those that no command would go on with. Asks before."
_OUTDATED = "orphaned: its settings give another run in this version"
_RUN = re.compile(r".+-[0-9a-f]{8}/seed\d+")


class Waste(NamedTuple):
    """The folder of a run that is of no use any more."""

    folder: Path
    reason: str
    size_bytes: int


@dataclass(frozen=True)
class Search:
    """Hold the waste of a results folder, and the reasons why other runs could not be looked at."""

    wastes: list[Waste] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # a message for each file that cannot be read


class Kept(NamedTuple):
    """Hold how many runs were not removed, and a message for each that could not be."""

    runs: int
    problems: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run_verb(options: argparse.Namespace) -> int:
    """List what would be removed, ask, and remove it; runs that are finished, trained or can be resumed stay.

    Returns 1 if something of it could not be removed.

    Raises:
        ConfigError: there is nobody to ask, or no such results folder.
    """
    results_dir = require_results(options.results)
    found = _find_waste(results_dir)
    print_skipped(found.problems)
    wastes = found.wastes
    outdated_plans = _find_outdated_plans(results_dir)
    if not wastes and not outdated_plans:
        print(f"nothing to remove in {results_dir}")
        return 0
    for waste in wastes:
        print_line(f"{waste.folder}  {_format_size(waste.size_bytes)}  {waste.reason}")
    for folder in outdated_plans:
        print_line(f"{results_dir / folder}  planned  {_OUTDATED}")
    count = len(wastes) + len(outdated_plans)
    size = _format_size(sum(waste.size_bytes for waste in wastes))
    question = f"remove {count_noun(count, 'run')} ({size})? [y/N] "
    if not options.yes and not _ask_person(question):
        print("nothing was removed")
        return 0
    kept = _remove_all(results_dir, wastes, outdated_plans)
    for message in kept.problems:
        print_line(f"not removed: {message}", file=sys.stderr)
    print(f"removed {count - kept.runs} of {count}")
    return 1 if kept.problems else 0


def _find_waste(results_dir: Path) -> Search:
    """Return the runs that are of no use any more; a run that cannot be looked at, or whose record is bad, is none."""
    listed = list_seed_folders(results_dir)
    _, unread_plans = read_plans(results_dir)
    found = Search(problems=[*listed.problems, *unread_plans])
    for folder in listed.paths:
        if not _is_named_as_run(results_dir, folder):
            continue
        run_folder = RunFolder(folder)
        forbidden = run_folder.find_forbidden()
        if forbidden:
            found.problems.append(explain_forbidden(forbidden))
            continue
        try:
            if not run_folder.holds_run() or is_locked(folder):
                continue
            read_record(run_folder.record_file)
        except NoRecordError:
            reason = _reason_to_remove(folder)
            if reason:
                found.wastes.append(Waste(folder, reason, _measure_folder(folder)))
        except RecordError as error:
            found.problems.append(str(error))
        except OSError as error:
            found.problems.append(explain_access(folder, error))
    return found


def _is_named_as_run(results_dir: Path, folder: Path) -> bool:
    """Return whether a folder is named as runs are, and is no link to somewhere else."""
    is_named_so = _RUN.fullmatch(str(folder.relative_to(results_dir))) is not None
    is_link = folder.is_symlink() or folder.parent.is_symlink()
    return is_named_so and not is_link


def _reason_to_remove(folder: Path) -> str | None:
    """Return why a run's folder is waste, or None if it is not; a record of whatever form keeps it."""
    run_folder = RunFolder(folder)
    if run_folder.record_file.exists():
        return None
    status = read_status(folder)
    if status.get("state") == "failed":
        return f"failed: {first_line(status.get('reason'))}"
    if not run_folder.has_checkpoint():
        return "orphaned: no checkpoint to go on from"
    if _leads_here(run_folder):
        return None
    return _OUTDATED


def _leads_here(run_folder: RunFolder) -> bool:
    """Return whether the settings written down in a folder would lead to it again."""
    try:
        config = run_folder.load_settings()
        # The file of first weights need not be in sight from here, and without it there is no key.
        if config.init.weights is not None:
            return True
        key_start = run_folder.path.parent.name.rpartition("-")[2]
        # Settings that state their pictures are known by them, also where these are not in sight or have changed.
        states_pictures = config.data.get("found") is not None
        run = run_as_stated(config) if states_pictures else run_from(config)
        return run_key(run).startswith(key_start)
    # Settings of another version fail in any way they happen to.
    except Exception:
        return False


def _find_outdated_plans(results_dir: Path) -> list[str]:
    """Return the folders of planned runs that were never begun and that their commands no longer lead to."""
    planned_runs, _ = read_plans(results_dir)
    return [run.folder for run in planned_runs if _is_outdated(results_dir, run)]


def _is_outdated(results_dir: Path, planned: PlannedRun) -> bool:
    folder = RunFolder(results_dir / planned.folder)
    # A run that cannot be looked at may have been begun.
    if folder.find_forbidden() or folder.holds_run():
        return False
    # As above: without the file of first weights nobody knows where the command leads.
    if any(text.startswith("init.weights=") for text in planned.overrides):
        return False
    try:
        run = compose(planned.overrides)
    # Nor does anybody without the pictures.
    except DataError:
        return False
    except ConfigError:
        return True
    if run.data.root is not None and run.data.found is None:
        return False
    return str(run_dir(run).relative_to(run.results_dir)) != planned.folder


def _ask_person(question: str) -> bool:
    """Return whether the person at the terminal says yes.

    Raises:
        ConfigError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise ConfigError("nobody to ask: give --yes to remove these runs")
    return input(question).strip().lower() in ("y", "yes")


def _remove_all(results_dir: Path, wastes: Sequence[Waste], plans: Sequence[str]) -> Kept:
    """Remove the folders of runs, and the outdated runs from their plans; returns what stayed."""
    kept = 0
    problems = []
    for waste in wastes:
        try:
            # Somebody may train the run by now, which is no problem.
            kept += not _remove_run(waste.folder)
        except OSError as error:
            kept += 1
            problems.append(f"{waste.folder}: {reason_of(error)}")
    try:
        drop_planned(results_dir, plans)
    except OSError as error:
        kept += len(plans)
        problems.append(f"{results_dir / PLANS}: {reason_of(error)}")
    return Kept(kept, problems)


def _remove_run(folder: Path) -> bool:
    """Remove a run's folder, and its parent if that is empty; return False if somebody trains it by now."""
    with hold_lock(folder, wait=False) as lock:
        if lock is None or _reason_to_remove(folder) is None:
            return False
        # Renamed at once, so that a process that waits for the lock begins a folder of its own.
        doomed = folder.with_name(f".{folder.name}-{os.getpid()}")
        folder.rename(doomed)
    shutil.rmtree(doomed)
    # The parent stays while it holds other seeds.
    with suppress(OSError):
        folder.parent.rmdir()
    return True


def _measure_folder(folder: Path) -> int:
    """Return the bytes of all files below a folder; folders that this user may not enter count for nothing."""
    size_bytes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            # A file that is gone by now has no size.
            with suppress(OSError):
                size_bytes += Path(parent, name).lstat().st_size
    return size_bytes


def _format_size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
