"""Lists that state the class of each evaluation picture, where these lie in one folder (config floor; no torch).

A line is a file's name and its class, with a tab, a comma or blanks between them; whatever follows is not read:

    val_0.JPEG <tab> n03444034 <tab> 0 <tab> 32 ...     Tiny ImageNet's val_annotations.txt: the name of a class folder
    Places365_val_00000001.jpg 165                      a number: the place among the class folders, counted from 0
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from senet_repro.core.errors import DataError
from senet_repro.core.files import read_text
from senet_repro.core.wording import name_some

LIST_SUFFIX = ".txt"


def find_list(folder: Path) -> Path | None:
    """Return the list of the pictures in a folder such as val/: the one text file in it, or val.txt beside it.

    None is returned where there is neither.

    Raises:
        DataError: there are several text files in the folder, and any of them may be the list.
    """
    inside = []
    # A name that begins with a dot is hidden, and no list.
    for path in sorted(folder.glob(f"[!.]*{LIST_SUFFIX}")):
        if path.is_file():
            inside.append(path)
    if len(inside) > 1:
        raise DataError(
            f"{folder} has several text files, {name_some(path.name for path in inside)}: leave the one there that "
            "says of which class each picture is"
        )
    if inside:
        return inside[0]
    beside = folder.with_name(f"{folder.name}{LIST_SUFFIX}")
    if not beside.is_file():
        return None
    return beside


def read_list(file: Path) -> dict[str, str]:
    """Return the class of each picture as the list states it, by the picture's name.

    Raises:
        DataError: the list cannot be read, a line of it lacks a class, or two lines disagree.
    """
    try:
        lines = read_text(file).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a readable list ({error}); fetch it again") from error
    stated: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        picture, label = _split_line(line)
        if not label:
            raise DataError(f"{file}, line {number}: give a file and its class, such as 0.JPEG n01")
        if stated.setdefault(picture, label) != label:
            raise DataError(f"{file}, line {number}: {picture} is of another class in a line above")
    if not stated:
        raise DataError(f"{file} is empty: give a line for each picture, such as 0.JPEG n01")
    return stated


def name_listed_classes(
    file: Path, stated: Mapping[str, str], names: Sequence[str]
) -> dict[str, str]:
    """Return the name of each picture's class among `names`, in whose order numbers count from 0.

    Raises:
        DataError: a class is none of them, or the numbers do not begin at 0.
    """
    labels = set(stated.values())
    foreign = sorted(labels - set(names))
    if not foreign:
        return dict(stated)
    if not all(label.isdecimal() for label in labels):
        raise DataError(
            f"{file}: {name_some(foreign)} is the name of no class folder; give those, or numbers from 0 in their order"
        )
    numbers = {int(label) for label in labels}
    least, greatest = min(numbers), max(numbers)
    if least != 0 or greatest >= len(names):
        raise DataError(
            f"{file}: the numbers of its classes are {least} to {greatest}, and those of {len(names)} class "
            f"folders are 0 to {len(names) - 1}, in the order of their names"
        )
    return {picture: names[int(label)] for picture, label in stated.items()}


def list_stated_classes(stated: Mapping[str, str]) -> list[str]:
    """Return the names of the classes that a list alone tells of, in the order of their numbers or names."""
    labels = set(stated.values())
    if all(label.isdecimal() for label in labels):
        count = 1 + max(int(label) for label in labels)
        return [str(number) for number in range(count)]
    return sorted(labels)


def _split_line(line: str) -> tuple[str, str]:
    """Return the file and the class that a line begins with; an empty class where there is none."""
    # Names may hold blanks where a tab or a comma stands between the columns.
    separator = r"\s+"
    for mark in ("\t", ","):
        if mark in line:
            separator = mark
            break
    columns = [column.strip() for column in re.split(separator, line.strip())]
    if len(columns) == 1:
        return columns[0], ""
    return columns[0], columns[1]
