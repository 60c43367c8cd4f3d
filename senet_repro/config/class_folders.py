"""Sets in class folders, root/train/<class>/* and root/val/<class>/* (config floor; no torch).

Here it is decided what is a class, what a picture and what neither, for every reader: for the fingerprint of a set, for
training on it, and for verifying it.

- The evaluation part is the first of val/, validation/ and test/ that is there.
- It may have its pictures in one folder, val/* or val/images/*, and a list of their classes, see `picture_lists`.
- Of a class whose folder has a folder images/, as in Tiny ImageNet, the pictures are those in there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from senet_repro.config.imagenet_classes import number_classes
from senet_repro.config.picture_lists import (
    LIST_SUFFIX,
    find_list,
    list_stated_classes,
    name_listed_classes,
    read_list,
)
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.core.wording import choose_form, name_some

TRAIN, EVAL = PARTS = ("train", "val")
EVAL_FOLDERS = ("val", "validation", "test")
"""The names that the folder of the evaluation part may have; the first that is there counts."""
INNER_FOLDER = "images"
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


def find_class_folders(data: Data, parts: Sequence[str] = PARTS) -> ClassFolders:
    """Return the classes below `data.root`, and the folders with the pictures of some parts.

    Fewer classes than `data.classes` are allowed, so that a part of ImageNet can be read as well; 0 allows any number.
    Without the training part the classes are those of the evaluation part.

    Raises:
        DataError: a folder is missing or cannot be read, or the classes of train/ and val/ differ or are too many.
    """
    if data.root is None:
        wanted = " and ".join(f"DIR/{part}" for part in parts)
        raise DataError(f"{data.name} is read from class folders: give data.root=DIR with {wanted}")
    root = Path(data.root)
    require_folder(root)
    names, folders = _find_parts(root, parts)
    if data.classes and len(names) > data.classes:
        # The names are those of the training part, where it is there.
        counted = root / TRAIN
        if not counted.is_dir():
            counted = find_eval_folder(root)
        raise DataError(f"{counted} has {len(names)} classes: give data.classes={len(names)}")
    labels = number_classes(names, data.classes or len(names))
    return ClassFolders(root, names, labels, folders)


def _find_parts(root: Path, parts: Sequence[str]) -> tuple[list[str], list[PictureFolder]]:
    """Return the names of the classes, and the folders with the pictures of some parts."""
    train = root / TRAIN
    evaluation = find_eval_folder(root)
    names = None
    if TRAIN in parts or train.is_dir():
        names = _list_classes(train)
    folders = []
    if TRAIN in parts and names:
        folders += _name_folders(train, TRAIN, names)
    if EVAL not in parts:
        return names or [], folders
    # What a list of pictures is beside class folders, such as a readme, nobody asks.
    found = _sort_classes(evaluation).taken
    picture_list = None
    if set(found) <= {INNER_FOLDER}:
        picture_list = find_list(evaluation)
    if picture_list is None and found == [INNER_FOLDER]:
        raise _lack_classes(evaluation)
    if picture_list is not None:
        stated = read_list(picture_list)
        names = names or list_stated_classes(stated)
        listed = name_listed_classes(picture_list, stated, names)
        return names, [*folders, PictureFolder(EVAL, _enter_images(evaluation), "", listed)]
    own_names = _list_classes(evaluation)
    if odd := sorted(set(names or own_names) ^ set(own_names)):
        verb = choose_form(len(odd), "is", "are")
        raise DataError(
            f"{root}: train/ and {evaluation.name}/ must have the same class folders; {name_some(odd)} {verb} in one "
            "only"
        )
    return own_names, [*folders, *_name_folders(evaluation, EVAL, own_names)]


def find_eval_folder(root: Path) -> Path:
    """Return the folder of the evaluation part: the first of val/, validation/ and test/ that is there; else val/."""
    folders = [root / name for name in EVAL_FOLDERS]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _name_folders(folder: Path, part: str, names: Sequence[str]) -> list[PictureFolder]:
    """Return the folder with the pictures of each class in train/ or val/."""
    return [PictureFolder(part, _enter_images(folder / name), name) for name in names]


def _enter_images(folder: Path) -> Path:
    """Return the folder images/ in a folder, where there is one, or the folder itself."""
    inner = folder / INNER_FOLDER
    if inner.is_dir():
        return inner
    return folder


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
        suffixes = ", *".join(SUFFIXES)
        parts.append(f"{len(others):,} that are no files *{suffixes} ({named})")
    if hidden:
        named = name_some(sorted(hidden))
        parts.append(f"{len(hidden):,} hidden ({named})")
    if not parts:
        return None
    return f"left out of {classes.root}: {' and '.join(parts)}"


def _walk_folders(classes: ClassFolders) -> Iterator[tuple[Path, Entries]]:
    """Yield train/, val/ and each folder of pictures, with its entries; of a list's folder the list is none of them."""
    paths = {
        TRAIN: classes.root / TRAIN,
        EVAL: find_eval_folder(classes.root),
    }
    for part, path in paths.items():
        folders = classes.list_folders(part)
        if folders and not folders[0].listed:
            yield path, _sort_classes(path)
        for folder in folders:
            entries = list_pictures(folder.path)
            if folder.listed:
                entries = _leave_list_out(entries)
            yield folder.path, entries


def _leave_list_out(entries: Entries) -> Entries:
    """Return the entries of a folder of pictures without the list of their classes."""
    others = []
    for name in entries.others:
        if not name.endswith(LIST_SUFFIX):
            others.append(name)
    return replace(entries, others=others)


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
        raise _lack_classes(folder)
    names = sorted(classes.taken)
    closed = []
    for name in names:
        path = folder / name
        # A folder is listed by the right to read it, and entered by the right to execute it.
        if not os.access(path, os.R_OK | os.X_OK):
            closed.append(path)
    if closed:
        raise DataError(
            f"{name_some(closed)}: not to be read; give yourself the right, or move it away"
        )
    return names


def _lack_classes(folder: Path) -> DataError:
    """Return the error of a train/ or val/ without classes, which says what was looked for."""
    looked_for = f"{folder}/<class>/*"
    if folder.name != TRAIN:
        looked_for += f", or for pictures and one list of their classes, {folder}/*{LIST_SUFFIX}"
    return DataError(f"no class folders in {folder}: looked for {looked_for}; give data.root=DIR")


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
