"""Damages to a results folder, as crashes, full disks, other programs and unfriendly hands leave them.

A damage changes something of one run's folder and nothing else, so every other run must still be shown.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

Damage = Callable[[Random, Path], None]
"""Damages the folder of one run, which holds its record."""

FILES = ("record.json", "status.json", "metrics.jsonl", "config.yaml", "outcomes.npz")


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


# Written into a file in place of a value, so that it need not be JSON.
STRANGE = [
    *("null", "true", "-1", "-50.0", "200", "1e308", "NaN", "Infinity", "0.5", "[]", "{}", "[[]]"),
    *('""', '"abc"', '"\\u001b[31mred"', '"a\\nb"', '"../../x"', '"\\u202egnp"', '{"a": {}}'),
    *("9" * 5000, _nested(50), _nested(100_000), "", "]", '"'),
]


def change_a_field(random: Random, folder: Path) -> None:
    """Write a strange value in the place of a field of the record, or of one within it."""
    path = folder / "record.json"
    record = json.loads(path.read_text())
    parent = record
    name = random.choice(list(record))
    while isinstance(parent[name], dict) and parent[name] and random.random() < 0.6:
        parent = parent[name]
        name = random.choice(list(parent))
    parent[name] = "@"
    path.write_text(json.dumps(record).replace('"@"', random.choice(STRANGE)))


def drop_a_field(random: Random, folder: Path) -> None:
    """Leave a field out of the record."""
    path = folder / "record.json"
    record: dict[str, Any] = json.loads(path.read_text())
    del record[random.choice(list(record))]
    path.write_text(json.dumps(record))


def cut_a_file(random: Random, folder: Path) -> None:
    """Cut a file short, as a full disk does."""
    path = folder / random.choice(FILES)
    content = path.read_bytes()
    path.write_bytes(content[: random.randrange(len(content))])


def scramble_a_file(random: Random, folder: Path) -> None:
    """Change some bytes of a file, or write others in their place."""
    path = folder / random.choice(FILES)
    content = bytearray(path.read_bytes())
    for _ in range(random.choice([1, 3, 100])):
        content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(content)


def replace_a_file(random: Random, folder: Path) -> None:
    """Put something that is no file, or strange text, where a file was."""
    path = folder / random.choice(FILES)
    path.unlink()
    kinds: list[Callable[[], object]] = [
        path.mkdir,
        lambda: os.mkfifo(path),
        lambda: path.symlink_to(path),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to("nowhere"),
        lambda: path.write_text(random.choice(STRANGE)),
        lambda: path.write_bytes(random.randbytes(300)),
    ]
    random.choice(kinds)()


def take_anothers_record(random: Random, folder: Path) -> None:
    """Copy the record of another run of the results folder."""
    others = [path for path in folder.parents[1].glob("*/*/record.json") if path.parent != folder]
    shutil.copyfile(random.choice(others), folder / "record.json")


def rename_the_folder(random: Random, folder: Path) -> None:
    """Give the folder of the run or of its seed another name."""
    if random.random() < 0.5:
        folder.rename(folder.with_name(random.choice(["seed9", "seed-1", "seedx", "seed0 (copy)"])))
        return
    name = random.choice(["run", "x" * 200, "\x1b[2J-00000000", "ü-12345678", "a\nb-12345678"])
    folder.parent.rename(folder.parent.with_name(name))


def link_in_a_circle(random: Random, folder: Path) -> None:
    """Put a link beside the run that leads to its own folder, or nowhere."""
    target = random.choice([folder.parents[1], folder.parent, Path("nowhere"), Path("loop")])
    place = random.choice([folder.parents[1], folder.parent, folder])
    (place / "loop").symlink_to(target)


DAMAGES: list[Damage] = [
    *(change_a_field, change_a_field, change_a_field, drop_a_field, cut_a_file, scramble_a_file),
    *(replace_a_file, replace_a_file, take_anothers_record, rename_the_folder, link_in_a_circle),
]
