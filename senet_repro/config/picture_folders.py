"""Folders of pictures, and the classes of a set in them (config floor; no torch).

Here it is decided what a picture is, for every reader of a set in folders: for its fingerprint, for training on it, and
for verifying it. Which folders a set has is decided in `class_folders`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from senet_repro.core.errors import DataError
from senet_repro.core.wording import name_some

TRAIN, EVAL = PARTS = ("train", "val")
SUFFIXES = (".jpeg", ".jpg", ".png")


@dataclass(frozen=True)
class PictureFolder:
    """A folder with pictures of one class, or of the classes that a list states."""

    part: str  # train or val, whatever the folder is called
    path: Path
    class_name: str  # empty where a list states the classes
    # The class of each picture by its name, where a list states it.
    listed: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the name of the folder within its set, wherever this lies: train/n01440764, or val."""
        return f"{self.part}/{self.class_name}".rstrip("/")

    def list_pictures(self) -> list[str]:
        """Return the names of its pictures, in their order.

        Raises:
            DataError: the folder cannot be read, or holds other pictures than its list.
        """
        pictures = list_pictures(self.path).taken
        if self.listed:
            _compare_with_list(self, pictures)
        return pictures

    def name_classes(self, pictures: Sequence[str]) -> list[str]:
        """Return the name of the class of each picture."""
        if not self.listed:
            return [self.class_name] * len(pictures)
        return [self.listed[picture] for picture in pictures]


@dataclass(frozen=True)
class ClassFolders:
    """The classes of a set, in the order of their names, and the number of each among the outputs of a network."""

    root: Path
    names: list[str]
    labels: list[int]
    folders: list[PictureFolder]  # of the parts that were asked for
    # Whether names or lists tell the number of each class, so that folders may lack; otherwise their order does.
    is_numbered: bool = False

    def list_folders(self, part: str) -> list[PictureFolder]:
        """Return the folders with the pictures of a part of the set, train or val."""
        return [folder for folder in self.folders if folder.part == part]

    @property
    def numbers(self) -> dict[str, int]:
        """Return the label of each class by its name."""
        return dict(zip(self.names, self.labels, strict=True))


@dataclass(frozen=True)
class Entries:
    """The entries of one folder, by what they are."""

    taken: list[str] = field(default_factory=list)  # classes, or pictures
    broken: list[str] = field(default_factory=list)  # links to nothing that may have been classes
    hidden: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # such as pictures of another kind


def _compare_with_list(folder: PictureFolder, pictures: Sequence[str]) -> None:
    """Refuse pictures that a list does not name, and names without a picture."""
    unlisted = []
    for name in pictures:
        if name not in folder.listed:
            unlisted.append(name)
    if unlisted:
        raise DataError(
            f"{folder.path}: {name_some(unlisted)} in no line of the list of classes; add a line, or move it away"
        )
    missing = sorted(set(folder.listed) - set(pictures))
    if missing:
        raise DataError(
            f"{folder.path}: no {name_some(missing)}, which the list of classes names; fetch it again"
        )


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


def require_folder(root: Path) -> None:
    """Accept a `data.root` that is a folder.

    Raises:
        DataError: it is not there, or no folder.
    """
    if not root.is_dir():
        raise DataError(f"data.root={root}: there is no such folder; give the folder of the set")


def list_class_folders(folder: Path) -> Entries:
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
