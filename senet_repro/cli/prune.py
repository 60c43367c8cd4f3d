"""`python -m senet_repro prune`: remove what failed and what no command would go on with, after asking."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf

from senet_repro.config.composition import compose, run_from
from senet_repro.config.identity import run_dir, run_key
from senet_repro.core.errors import ConfigError
from senet_repro.core.lock import hold_lock, is_locked
from senet_repro.results.plan import PlannedRun, drop_planned, read_plans
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.run_states import first_line
from senet_repro.results.store import find_seed_folders, read_status

_OUTDATED = "orphaned: its settings give another run in this version"
_RUN = re.compile(r".+-[0-9a-f]{8}/seed\d+")


class Waste(NamedTuple):
    """A run's folder that is of no use any more."""

    folder: Path
    reason: str
    size_bytes: int


def main(arguments: Sequence[str]) -> int:
    """List what would be removed, ask, and remove it; what is finished, trained or can be resumed stays."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro prune",
        description="Remove failed runs, and unfinished ones that no command would go on with. Asks before.",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where the runs are (runs)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    found = list(_find(options.results))
    planned = [
        run.folder for run in read_plans(options.results)[0] if _is_outdated(options.results, run)
    ]
    if not found and not planned:
        print(f"nothing to remove in {options.results}")
        return 0
    for waste in found:
        print(f"{waste.folder}  {_size(waste.size_bytes)}  {waste.reason}")
    for folder in planned:
        print(f"{options.results / folder}  planned  {_OUTDATED}")
    count = len(found) + len(planned)
    runs = f"{count} run{'' if count == 1 else 's'} ({_size(sum(waste.size_bytes for waste in found))})"
    if not options.yes and not _agrees(f"remove {runs}? [y/N] "):
        print("nothing was removed")
        return 0
    removed = [waste for waste in found if _remove(waste.folder)]
    drop_planned(options.results, planned)
    print(f"removed {len(removed) + len(planned)} of {count}")
    return 0


def _find(results_dir: Path) -> Iterator[Waste]:
    for folder in find_seed_folders(results_dir):
        is_ours = (
            _RUN.fullmatch(str(folder.relative_to(results_dir))) and RunFolder(folder).holds_run()
        )
        is_link = folder.is_symlink() or folder.parent.is_symlink()
        if is_ours and not is_link and not is_locked(folder) and (why := _reason(folder)):
            files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
            yield Waste(folder, why, sum(path.stat().st_size for path in files))


def _reason(folder: Path) -> str | None:
    """Why a run's folder is waste, or None if it is not."""
    if RunFolder(folder).record_file.exists():
        return None
    status = read_status(folder)
    if status.get("state") == "failed":
        return f"failed: {first_line(status.get('reason'))}"
    if not RunFolder(folder).has_checkpoint():
        return "orphaned: no checkpoint to go on from"
    return None if _is_current(folder) else _OUTDATED


def _is_current(folder: Path) -> bool:
    """Whether the settings written down would lead to this folder again."""
    try:
        config = OmegaConf.load(RunFolder(folder).settings_file)
        if not isinstance(config, DictConfig):
            return False
        if config.init.weights is not None:
            return True  # the file it began with need not be in sight from here
        return run_key(run_from(config)).startswith(folder.parent.name.rpartition("-")[2])
    except Exception:  # a damaged file fails in any way it happens to
        return False


def _is_outdated(results_dir: Path, planned: PlannedRun) -> bool:
    """Whether the command of a planned run that was never begun would lead to another folder, or to none."""
    if RunFolder(results_dir / planned.folder).holds_run() or any(
        text.startswith("init.weights=") for text in planned.overrides
    ):
        return False  # as above
    try:
        run = compose(planned.overrides)
    except ConfigError:
        return True
    return str(run_dir(run).relative_to(run.results_dir)) != planned.folder


def _agrees(question: str) -> bool:
    """Whether the person at the terminal says yes.

    Raises:
        ConfigError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise ConfigError("nobody to ask: give --yes to remove these runs")
    return input(question).strip().lower() in ("y", "yes")


def _remove(folder: Path) -> bool:
    """Remove a run's folder, and its parent if that is empty; False if somebody trains it by now."""
    with hold_lock(folder, wait=False) as lock:
        if lock is None or _reason(folder) is None:
            return False
        doomed = folder.with_name(f".{folder.name}-{os.getpid()}")
        folder.rename(doomed)  # who waits for the lock begins a folder of its own
    shutil.rmtree(doomed)
    with suppress(OSError):  # other seeds are there
        folder.parent.rmdir()
    return True


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
