"""A results folder of somebody else's, of which nothing is believed: what may be read of it, and how much
(results floor).

Nothing in it is followed or run: links are refused, settings are not read, and of each run three files are taken:
its record, its epochs and its outcomes.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import MOST_BYTES, read_bytes, write_bytes
from senet_repro.results.access import explain_access
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.seed_folders import REPORTED

MOST_FOLDERS = 20_000
"""How many entries of a folder are looked at; a campaign has some hundreds of runs."""

MOST_RECORD_BYTES = 2_000_000
MOST_EPOCHS_BYTES = 16_000_000
"""The largest record and file of epochs that are taken; ours have some kilobytes."""

_SEED = re.compile(r"seed(0|[1-9][0-9]{0,18})")
_SEND_FILES = "send a folder with files and folders of its own"


class RefusedRunError(ConfigError):
    """A run of others that is not taken; the message says why, with the mend, and leaves its name to the caller."""


@dataclass
class ForeignRuns:
    """The folders of the seeds of all runs, in the order of their paths."""

    paths: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # a message for each that is refused


def list_foreign_runs(folder: Path) -> ForeignRuns:
    """Return every folder below one of somebody else's in which a run of a seed may lie.

    Raises:
        ConfigError: the folder cannot be read, or has more entries than any campaign.
    """
    found = ForeignRuns()
    for run in _list_entries(folder, found.problems):
        # What they were sent by others is for those to report.
        if run.name == REPORTED or run.name.startswith("."):
            continue
        for seed in _list_entries(run, found.problems):
            if _SEED.fullmatch(seed.name):
                found.paths.append(seed)
    return found


def _list_entries(folder: Path, problems: list[str]) -> list[Path]:
    """Return the folders in a folder by name; a link is refused, with a message."""
    folders = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MOST_FOLDERS:
                    raise ConfigError(
                        f"{folder} has more than {MOST_FOLDERS:,} entries: give the folder of one campaign"
                    )
                if entry.is_symlink():
                    problems.append(f"{folder / entry.name}: a link; {_SEND_FILES}")
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(folder / entry.name)
    except OSError as error:
        raise ConfigError(explain_access(folder, error)) from error
    return sorted(folders)


def copy_files(source: Path, target: Path) -> None:
    """Copy what is taken of a run, a record, its epochs and what it found on each image, to where it can be checked.

    Raises:
        RefusedRunError: one of the files is a link, no file, too large, or cannot be read.
    """
    names = RunFolder(source)
    largest = {
        names.record_file: MOST_RECORD_BYTES,
        names.epochs_file: MOST_EPOCHS_BYTES,
        names.outcomes_file: MOST_BYTES,
        names.detections_file: MOST_BYTES,
    }
    target.mkdir(parents=True)
    for path, most_bytes in largest.items():
        content = _read_file(path, most_bytes)
        if content is not None:
            write_bytes(target / path.name, content)


def _read_file(path: Path, most_bytes: int) -> bytes | None:
    """Return the content of a file of somebody else's; None where there is none.

    Raises:
        RefusedRunError: it is a link, no file, too large, or cannot be read.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise RefusedRunError(f"{path.name} is a link, a pipe or the like; {_SEND_FILES}")
        if found.st_size > most_bytes:
            raise RefusedRunError(
                f"{path.name} has {found.st_size / 1e6:,.0f} MB, and {most_bytes / 1e6:.0f} are taken at most; "
                "send the run's own file"
            )
        return read_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedRunError(explain_access(path, error)) from error


def drop_places(record: Record) -> Record:
    """Return a record without the places of folders on the machine that trained it: of each the last name stays."""
    root = str(record.config["data"].get("root"))
    # As confounds compare them: by their places below the set's folder.
    skipped = {
        part: [_shorten(name.removeprefix(f"{root.removesuffix('/')}/")) for name in names]
        for part, names in record.skipped.items()
    }
    overrides = record.overrides
    if overrides is not None:
        overrides = [_shorten_setting(setting) for setting in overrides]
    return replace(record, config=_shorten(record.config), overrides=overrides, skipped=skipped)


def _shorten(value: Any) -> Any:
    """Return a value of a setting with the last name of each path from the root or a home directory."""
    if isinstance(value, dict):
        return {key: _shorten(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shorten(each) for each in value]
    if isinstance(value, str) and value.startswith(("/", "~")):
        return Path(value).name
    return value


def _shorten_setting(setting: str) -> str:
    """Return `key=value` with the value as `_shorten` gives it."""
    key, sign, value = setting.partition("=")
    return f"{key}{sign}{_shorten(value)}"
