"""The folders below a results folder in which runs may lie, and what stands in their way (results floor)."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from senet_repro.results.access import explain_access

REPORTED = "reported"
"""The folder below a results folder in which the runs of others lie, see `results.reported`."""


@dataclass(frozen=True)
class SeedFolders:
    """The folders of the seeds of all runs, in the order of their paths."""

    paths: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # a message for each that cannot be entered


def list_seed_folders(results_dir: Path) -> SeedFolders:
    """Return every folder in which a run of a seed may lie; what cannot be entered costs no other folder.

    Runs that others reported are left out: they lie a folder deeper, below one for each origin.
    """
    found = SeedFolders()
    for run in _list_folders(results_dir, "", found.problems):
        # Caches and plans, which may be another user's; and origins, whose names may begin as those of seeds.
        if run.name.startswith(".") or run.name == REPORTED:
            continue
        found.paths.extend(_list_folders(run, "seed", found.problems))
    return found


def _list_folders(parent: Path, prefix: str, problems: list[str]) -> list[Path]:
    """Return the folders in a folder whose names begin with `prefix`, by name; add a message for each obstacle."""
    # Globbing would cost as much as reading the records.
    try:
        with os.scandir(parent) as entries:
            wanted = [entry for entry in entries if entry.name.startswith(prefix)]
    # A process may have removed the folder since it was listed.
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        problems.append(explain_access(parent, error))
        return []
    folders = []
    for entry in sorted(wanted, key=lambda entry: entry.name):
        try:
            if _leads_to_folder(entry, parent):
                folders.append(parent / entry.name)
        except OSError as error:
            problems.append(explain_access(parent / entry.name, error))
    return folders


def _leads_to_folder(entry: os.DirEntry[str], parent: Path) -> bool:
    """Return whether an entry is a folder, or a link to one.

    Raises:
        OSError: it is a link that leads nowhere, to a place that cannot be entered, or to a folder that it lies in.
    """
    if not entry.is_symlink():
        return entry.is_dir()
    target = os.path.realpath(entry.path, strict=True)
    if parent.resolve().is_relative_to(target):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), entry.path)
    return Path(target).is_dir()
