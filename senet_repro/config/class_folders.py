"""Sets in class folders, root/train/<class>/* and root/val/<class>/* (config floor; no torch).

Here it is decided what is a class, for every reader: for the fingerprint of a set, for training on it, and for
verifying it. What is a picture is decided in `picture_folders`. Places365 may lie otherwise, see `places_files`.

- The evaluation part is the first of val/, validation/ and test/ that is there.
- It may have its pictures in one folder, val/* or val/images/*, and a list of their classes, see `picture_lists`.
- Of a class whose folder has a folder images/, as in Tiny ImageNet, the pictures are those in there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from senet_repro.config.imagenet_classes import have_own_numbers, number_classes
from senet_repro.config.picture_folders import (
    EVAL,
    PARTS,
    SUFFIXES,
    TRAIN,
    ClassFolders,
    Entries,
    PictureFolder,
    list_class_folders,
    list_pictures,
    require_folder,
)
from senet_repro.config.picture_lists import (
    LIST_SUFFIX,
    find_list,
    list_stated_classes,
    name_listed_classes,
    read_list,
)
from senet_repro.config.places_files import PLACES, find_listed_places, has_listed_layout
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.core.wording import choose_form, name_some

EVAL_FOLDERS = ("val", "validation", "test")
"""The names that the folder of the evaluation part may have; the first that is there counts."""
INNER_FOLDER = "images"


def find_class_folders(data: Data, parts: Sequence[str] = PARTS) -> ClassFolders:
    """Return the classes below `data.root`, and the folders with the pictures of some parts.

    Fewer classes than `data.classes` are allowed, so that a part of ImageNet can be read as well; 0 allows any number.
    Without the training part the classes are those of the evaluation part.

    Raises:
        DataError: a folder is missing or cannot be read, or the classes of train/ and val/ differ or are too many.
    """
    if data.root is None:
        wanted = " and ".join(f"DIR/{part}" for part in parts)
        if data.name == PLACES:
            wanted += ", or with its lists and folders of pictures as they are published"
        raise DataError(f"{data.name} is read from class folders: give data.root=DIR with {wanted}")
    root = Path(data.root)
    require_folder(root)
    if data.name == PLACES and has_listed_layout(root):
        return find_listed_places(data, parts)
    names, folders = _find_parts(root, parts)
    if data.classes and len(names) > data.classes:
        # The names are those of the training part, where it is there.
        counted = root / TRAIN
        if not counted.is_dir():
            counted = find_eval_folder(root)
        raise DataError(f"{counted} has {len(names)} classes: give data.classes={len(names)}")
    classes = data.classes or len(names)
    labels = number_classes(names, classes)
    is_numbered = bool(names) and have_own_numbers(names, classes)
    return ClassFolders(root, names, labels, folders, is_numbered)


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
    found = list_class_folders(evaluation).taken
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
            yield path, list_class_folders(path)
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


def _list_classes(folder: Path) -> list[str]:
    """Return the names of the class folders in train/ or val/, in their order.

    Raises:
        DataError: there are none, or some are links to nothing or cannot be read.
    """
    classes = list_class_folders(folder)
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
