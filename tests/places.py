"""Places365 in small, in each layout that it comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

CATEGORIES = ("/a/airfield", "/a/apartment_building/outdoor", "/b/beach")
NAMES = ("airfield", "apartment_building/outdoor", "beach")
PER_CLASS = 2

WritePicture = Callable[[Path, int], None]
"""Writes a picture of the class of a number."""


def write_text(path: Path, number: int) -> None:
    """Write what is a picture as far as its name tells."""
    path.write_text(f"a picture of {number}")


def lay_out_lists(
    root: Path,
    write: WritePicture = write_text,
    *,
    subset: str = "standard",
    train: str = "data_256",
    evaluation: str = "val_256",
    lists: str = ".",
    categories: Mapping[str, int] = {name: number for number, name in enumerate(CATEGORIES)},
) -> None:
    """Write three classes with two training pictures and an evaluation picture each, and their lists."""
    in_train, in_evaluation = [], []
    (root / evaluation).mkdir(parents=True)
    for position, category in enumerate(CATEGORIES):
        number = categories[category]
        folder = root / train / category[1:]
        folder.mkdir(parents=True)
        for picture in range(PER_CLASS):
            name = f"{picture + 1:08}.jpg"
            write(folder / name, position)
            in_train.append(f"{category}/{name} {number}")
        # Not in the order of the classes, as in the official list.
        name = f"Places365_val_{len(CATEGORIES) - position:08}.jpg"
        write(root / evaluation / name, position)
        in_evaluation.append(f"{name} {number}")
    (root / lists).mkdir(exist_ok=True)
    for name, lines in (
        (f"places365_train_{subset}.txt", in_train),
        ("places365_val.txt", in_evaluation),
        ("categories_places365.txt", [f"{name} {number}" for name, number in categories.items()]),
    ):
        (root / lists / name).write_text("".join(f"{line}\n" for line in lines))


def lay_out_folders(root: Path, write: WritePicture = write_text) -> None:
    """Write the same classes as class folders, whose names have no parts."""
    for position, name in enumerate(NAMES):
        flat = name.replace("/", "-")
        for part, picture in (("train", "1"), ("train", "2"), ("val", "3")):
            folder = root / part / flat
            folder.mkdir(parents=True, exist_ok=True)
            write(folder / f"{picture}.jpg", position)
