"""The lists that Places365 comes with: its categories, and the class of each picture (config floor; no torch).

    /a/airfield 0                      categories_places365.txt: a category and its number
    /a/airfield/00000001.jpg 0         places365_train_challenge.txt: a picture and the number of its class
    Places365_val_00000001.jpg 165     places365_val.txt

The training list of the challenge has eight million lines. Of their names a hash for each class is kept, and no more:
that is enough to tell whether the pictures of a class are those that its lines name.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from senet_repro.core.errors import DataError
from senet_repro.core.slow_work import SlowWork
from senet_repro.core.wording import name_some

CATEGORIES = "categories_places365.txt"
VAL_LIST = "places365_val.txt"

# A letter, and a name that may have parts: /a/apartment_building/outdoor.
_CATEGORY = re.compile(r"/[a-z](/\w[^/ ]*)+")

# Of the number of a class.
_MOST_DIGITS = 9


@dataclass(frozen=True)
class ListedPictures:
    """The pictures of one folder, as the lines of a list name them."""

    file: Path  # the list
    folder: str  # as the lines have it, such as /a/airfield; empty where they name no folder
    first_line: int
    names_hash: bytes  # of the names in their order

    def require_same(self, path: Path, pictures: Sequence[str]) -> None:
        """Accept pictures in the folder `path` that are those of the list, in the order of their names.

        Raises:
            DataError: a picture is missing, named twice or in no line; the message names the file and the line.
        """
        if _hash_names(map(os.fsencode, pictures)) != self.names_hash:
            self._explain_difference(path, set(pictures))

    def _explain_difference(self, path: Path, pictures: set[str]) -> None:
        listed: set[str] = set()
        for number, place, _ in _read_lines(self.file):
            folder, _, name = os.fsdecode(place).rpartition("/")
            if folder != self.folder:
                continue
            where = f"{self.file}, line {number}"
            if name in listed:
                raise DataError(f"{where}: {name} stands in a line above; take one of them out")
            if name not in pictures:
                raise DataError(f"{where}: there is no {path / name}; fetch it again")
            listed.add(name)
        unlisted = name_some(sorted(pictures - listed))
        raise DataError(
            f"{path}: {unlisted} in no line of {self.file}; add a line, or move it away"
        )


def read_categories(file: Path, classes: int) -> dict[str, int]:
    """Return the number of each category, such as 0 of /a/airfield, in the order of the numbers.

    Raises:
        DataError: the list cannot be read, its numbers are not those from 0 on, or they are not `classes`.
    """
    numbers: dict[str, int] = {}
    line_of: dict[int, int] = {}
    for line, place, label in _read_lines(file):
        where = f"{file}, line {line}"
        category = os.fsdecode(place)
        if not _CATEGORY.fullmatch(category) or not _is_number(label):
            raise DataError(f"{where}: give a category and its number, such as /a/airfield 0")
        number = int(label)
        if category in numbers or number in line_of:
            raise DataError(f"{where}: its category or number stands in a line above")
        numbers[category] = number
        line_of[number] = line
    if len(numbers) != classes:
        raise DataError(
            f"{file} has {len(numbers)} categories and not data.classes={classes}: fetch it again, or give "
            f"data.classes={len(numbers)} for a set of so many"
        )
    greatest = max(line_of)
    if greatest >= classes:
        raise DataError(
            f"{file}, line {line_of[greatest]}: the number {greatest} is beyond those of {classes} categories, which "
            f"are 0 to {classes - 1}"
        )
    return {category: numbers[category] for category in sorted(numbers, key=numbers.__getitem__)}


def read_train_list(file: Path, categories: dict[str, int]) -> dict[str, ListedPictures]:
    """Return the pictures of each category that a training list has lines of; the list is read once.

    Raises:
        DataError: a line cannot be read, or its number is not that of the category whose folder it names.
    """
    status = file.stat()
    state = (status.st_size, status.st_ino, status.st_ctime_ns)
    return _read_train_list(file, state, tuple(categories.items()))


@lru_cache(maxsize=4)
def _read_train_list(
    file: Path, _state: tuple[int, ...], categories: tuple[tuple[str, int], ...]
) -> dict[str, ListedPictures]:
    labels: dict[bytes, bytes] = {}
    # The names of a class, a line each: bytes, since a million texts would take ten times as much.
    names: dict[bytes, bytearray] = {}
    for category, number in categories:
        folder = os.fsencode(category)
        labels[folder] = _write_number(number)
        names[folder] = bytearray()
    first_lines: dict[bytes, int] = {}
    with SlowWork(f"reading {file}"):
        for line, place, label in _read_lines(file):
            folder, _, name = place.rpartition(b"/")
            if labels.get(folder) != label:
                raise _explain_line(file, line, place, label, dict(categories))
            if folder not in first_lines:
                first_lines[folder] = line
            names[folder] += name + b"\n"
    if not first_lines:
        raise DataError(f"{file} is empty: fetch it again")
    listed = {}
    for folder, first_line in first_lines.items():
        lines = bytes(names[folder])
        own_names = sorted(lines.split())
        category = os.fsdecode(folder)
        listed[category] = ListedPictures(
            file=file,
            folder=category,
            first_line=first_line,
            names_hash=_hash_names(own_names),
        )
    return listed


def read_val_list(file: Path, categories: dict[str, int]) -> tuple[ListedPictures, dict[str, str]]:
    """Return the pictures of a validation list, and the category of each by its name.

    Raises:
        DataError: a line cannot be read, or its number is that of no category.
    """
    by_number = {}
    for category, number in categories.items():
        by_number[_write_number(number)] = category
    stated: dict[str, str] = {}
    for line, place, label in _read_lines(file):
        name = os.fsdecode(place)
        where = f"{file}, line {line}"
        if "/" in name or not _is_number(label):
            raise DataError(
                f"{where}: give a picture and the number of its class, such as Places365_val_00000001.jpg 165"
            )
        if label not in by_number:
            raise DataError(
                f"{where}: no category has the number {os.fsdecode(label)}, see {CATEGORIES}"
            )
        if name in stated:
            raise DataError(f"{where}: {name} stands in a line above; take one of them out")
        stated[name] = by_number[label]
    if not stated:
        raise DataError(f"{file} is empty: fetch it again")
    names = sorted(map(os.fsencode, stated))
    listed = ListedPictures(
        file=file,
        folder="",
        first_line=1,
        names_hash=_hash_names(names),
    )
    return listed, stated


def _read_lines(file: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the number of each line that is not empty, and its two words.

    Raises:
        DataError: the list cannot be read, or a line has more or fewer words.
    """
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                words = line.split()
                if not words:
                    continue
                if len(words) == 2:
                    name, label = words
                    yield number, name, label
                else:
                    raise DataError(
                        f"{file}, line {number}: give a name and a number, such as /a/airfield/00000001.jpg 0"
                    )
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; fetch it again") from error


def _explain_line(
    file: Path, number: int, place: bytes, label: bytes, categories: dict[str, int]
) -> DataError:
    """Return the error of a line whose number is not that of its folder."""
    where = f"{file}, line {number}"
    folder, _, _ = os.fsdecode(place).rpartition("/")
    given = os.fsdecode(label)
    if not folder or not _is_number(label):
        return DataError(
            f"{where}: give a picture and the number of its class, such as /a/airfield/00000001.jpg 0"
        )
    if folder not in categories:
        return DataError(f"{where}: {folder} is no category of {CATEGORIES}")
    if int(label) not in categories.values():
        return DataError(f"{where}: no category has the number {given}, see {CATEGORIES}")
    stated = categories[folder]
    return DataError(f"{where}: {folder} has the number {stated} in {CATEGORIES}, and not {given}")


def _write_number(number: int) -> bytes:
    """Return the number of a class as the lists write it."""
    return str(number).encode()


def _is_number(label: bytes) -> bool:
    # Python refuses to convert thousands of digits.
    return label.isdigit() and len(label) <= _MOST_DIGITS


def _hash_names(names: Iterable[bytes]) -> bytes:
    """Return the hash of names in their order; none of them holds an end of a line."""
    return hashlib.sha256(b"\n".join(names)).digest()
