"""The 1,000 classes of ImageNet, by which released networks number their outputs (config floor; no torch)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

WNIDS_FILE = Path(__file__).with_name("imagenet_wnids.txt")
"""The names of ImageNet's class folders (WordNet ids), a line each, in the order of the outputs."""


@cache
def read_wnids() -> dict[str, int]:
    """Return the number of each of ImageNet's classes by its WordNet id."""
    names = WNIDS_FILE.read_text(encoding="ascii").split()
    return {name: number for number, name in enumerate(names)}


def find_foreign_names(names: Sequence[str]) -> list[str]:
    """Return the names of class folders that are none of ImageNet's."""
    wnids = read_wnids()
    return [name for name in names if name not in wnids]


def number_classes(names: Sequence[str], classes: int) -> list[int]:
    """Return the label of each class folder, for a network of so many outputs.

    Where there are as many outputs as ImageNet has classes and the folders bear their names, labels are the places
    among all of these classes, also where folders are missing. Otherwise the folders are numbered in their order.
    """
    wnids = read_wnids()
    if have_own_numbers(names, classes):
        return [wnids[name] for name in names]
    return list(range(len(names)))


def have_own_numbers(names: Sequence[str], classes: int) -> bool:
    """Return whether the names of class folders tell which of so many outputs is theirs, also where folders lack."""
    return classes == len(read_wnids()) and not find_foreign_names(names)
