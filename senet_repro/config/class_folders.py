"""Sets in class folders, root/train/<class>/* and root/val/<class>/* (config floor; no torch).

Here it is decided what is a class, what a picture and what neither, for every reader: for the fingerprint of a set, for
training on it, and for verifying it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from senet_repro.config.imagenet_classes import number_classes
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.core.wording import name_some

PARTS = ("train", "val")
SUFFIXES = (".jpeg", ".jpg", ".png")


@dataclass(frozen=True)
class ClassFolders:
    """The classes of a set, in the order of their names, and the number of each among the outputs of a network."""

    root: Path
    names: list[str]
    labels: list[int]

    def list_paths(self, part: str) -> list[Path]:
        """Return the folder of each class in a part of the set, train or val."""
        return [self.root / part / name for name in self.names]


@dataclass(frozen=True)
class Entries:
    """The entries of one folder, by what they are."""

    taken: list[str] = field(default_factory=list)  # classes, or pictures
    broken: list[str] = field(default_factory=list)  # links to nothing that may have been classes
    hidden: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # such as pictures of another kind


def find_class_folders(data: Data, parts: Sequence[str] = PARTS) -> ClassFolders:
    """Return the classes below `data.root`, those of all `parts`, of which an evaluation needs val alone.

    Fewer classes than `data.classes` are allowed, so that a part of ImageNet can be read as well.

    Raises:
        DataError: a folder is missing or cannot be read, or the classes of train/ and val/ differ or are too many.
    """
    if data.root is None:
        folders = " and ".join(f"DIR/{part}" for part in parts)
        raise DataError(
            f"{data.name} is read from class folders: give data.root=DIR with {folders}"
        )
    root = Path(data.root)
    require_folder(root)
    classes = [_list_classes(root / part) for part in parts]
    names = classes[0]
    shared = set(names).intersection(*classes)
    if odd := sorted(set().union(*classes) - shared):
        verb = "is" if len(odd) == 1 else "are"
        raise DataError(
            f"{root}: train/ and val/ must have the same class folders; {name_some(odd)} {verb} in one only"
        )
    if len(names) > data.classes:
        raise DataError(
            f"{root}/{parts[0]} has {len(names)} classes: give data.classes={len(names)}"
        )
    return ClassFolders(root, names, number_classes(names, data.classes))


def list_pictures(folder: Path) -> Entries:
    """Return the entries of a class folder, pictures in the order of their names.

    A link to nothing with a picture's name counts as a picture, one that cannot be read.

    Raises:
        DataError: the folder cannot be read.
    """
    entries = Entries()
    for entry in _scan_folder(folder):
        if _is_hidden(entry.name):
            entries.hidden.append(entry.name)
        # Links are not followed here: of a million pictures that would ask the disk for each.
        elif not _has_picture_suffix(entry.name) or not _may_be_file(entry):
            entries.others.append(entry.name)
        else:
            entries.taken.append(entry.name)
    entries.taken.sort(key=os.fsencode)
    return entries


def refuse_empty_classes(folders: Sequence[Path]) -> None:
    """Refuse class folders that hold no picture.

    Raises:
        DataError: there are any; the message names some and counts the others.
    """
    if folders:
        looked_for = ", *".join(SUFFIXES)
        raise DataError(f"no images in {name_some(folders)}: looked for *{looked_for}")


def describe_left_out(classes: ClassFolders) -> str | None:
    """Return a line on everything in the folders of a set that is neither a class nor a picture; None if nothing is."""
    hidden: list[Path] = []
    others: list[Path] = []
    for folder, entries in _walk_folders(classes):
        relative = folder.relative_to(classes.root)
        hidden += [relative / name for name in entries.hidden]
        others += [relative / name for name in entries.others]
    parts = []
    if others:
        named = name_some(sorted(others))
        parts.append(f"{len(others):,} that are no files *{', *'.join(SUFFIXES)} ({named})")
    if hidden:
        parts.append(f"{len(hidden):,} hidden ({name_some(sorted(hidden))})")
    return f"left out of {classes.root}: {' and '.join(parts)}" if parts else None


def _walk_folders(classes: ClassFolders) -> Iterator[tuple[Path, Entries]]:
    """Yield train/, val/ and each class folder, with its entries."""
    for part in PARTS:
        folder = classes.root / part
        yield folder, _sort_classes(folder)
        for path in classes.list_paths(part):
            yield path, list_pictures(path)


def require_folder(root: Path) -> None:
    """Accept a `data.root` that is a folder.

    Raises:
        DataError: it is not there, or no folder.
    """
    if not root.is_dir():
        raise DataError(f"data.root={root}: there is no such folder; give the folder of the set")


def _list_classes(folder: Path) -> list[str]:
    """Return the names of the class folders in train/ or val/, in their order.

    Raises:
        DataError: there are none, or some are links to nothing or cannot be read.
    """
    classes = _sort_classes(folder)
    if classes.broken:
        named = name_some(folder / name for name in sorted(classes.broken))
        raise DataError(f"{named}: a link to nothing; mend it or remove it")
    if not classes.taken:
        raise DataError(
            f"no class folders in {folder}: looked for {folder}/<class>/*; give data.root=DIR"
        )
    paths = [folder / name for name in sorted(classes.taken)]
    closed = [path for path in paths if not os.access(path, os.R_OK | os.X_OK)]
    if closed:
        raise DataError(
            f"{name_some(closed)}: not to be read; give yourself the right, or move it away"
        )
    return [path.name for path in paths]


def _sort_classes(folder: Path) -> Entries:
    """Return the entries of train/ or val/, its class folders as those that are taken."""
    entries = Entries()
    for entry in _scan_folder(folder):
        if _is_hidden(entry.name):
            entries.hidden.append(entry.name)
        elif _is_folder(entry):
            entries.taken.append(entry.name)
        elif entry.is_symlink() and not Path(entry.path).exists():
            entries.broken.append(entry.name)
        else:
            entries.others.append(entry.name)
    return entries


def _scan_folder(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a folder; none where there is no folder.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; make it readable, or move it away") from error


def _may_be_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file or a link, and no folder, pipe or device."""
    return entry.is_file(follow_symlinks=False) or entry.is_symlink()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or leads to one; a link that leads to itself does not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _has_picture_suffix(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)
