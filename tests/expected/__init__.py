"""Expected values that tests read: one file for each kind, none typed twice.

published.csv  the figures of the paper's tables, transcribed a second time
sizes.csv      parameters, multiply-adds and units with a gate, of every network with its settings
"""

from __future__ import annotations

import csv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def read_expected(name: str) -> list[dict[str, str]]:
    """Return the lines of an expected file; an empty field is an empty text."""
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))
