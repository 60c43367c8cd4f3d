"""Plan how wide the columns of a table are on a page of LaTeX (report floor).

Widths are counted in characters, since no package measures them: small letters are about alike, and figures wider.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.report.paper.document import Table

PAGE_CHARACTERS = 108
"""About how many small letters of a table a line of the page holds."""

FIGURE_CHARACTERS = 1.2
"""How wide a digit or a capital is, in small letters."""

GAP_CHARACTERS = 2
"""About what lies between two columns."""

LEAST_CHARACTERS = 6
"""The narrowest that a column of words is made."""


@dataclass(frozen=True)
class Column:
    """A column: its heading in lines, and how wide it is."""

    head_lines: list[str]
    characters: int
    is_words: bool
    is_wrapped: bool = False

    @property
    def alignment(self) -> str:
        """Return the column's letter in LaTeX, with its width where its words are wrapped."""
        if self.is_wrapped:
            return rf"p{{{self.characters / PAGE_CHARACTERS:.3f}\textwidth}}"
        return "l" if self.is_words else "r"


def plan_columns(table: Table) -> list[Column]:
    """Return the columns of a table.

    Where a line has too little room, headings are broken first; then those of words share what the figures leave.
    """
    room = PAGE_CHARACTERS - GAP_CHARACTERS * (len(table.header) - 1)
    for is_broken in (False, True):
        columns = [_measure_column(table, index, is_broken) for index in range(len(table.header))]
        if sum(column.characters for column in columns) <= room:
            return columns
    figures = sum(column.characters for column in columns if not column.is_words)
    shares = _share_room(
        [column.characters for column in columns if column.is_words],
        [_find_longest_word(table, index) for index in range(table.words)],
        room - figures,
    )
    wrapped = []
    for column, characters in zip(columns[: table.words], shares, strict=True):
        heading = " ".join(column.head_lines)
        lines = _wrap_heading(heading, characters)
        wrapped.append(Column(lines, characters, True, characters < column.characters))
    return [*wrapped, *columns[table.words :]]


def count_lines(row: Sequence[str], columns: Sequence[Column]) -> int:
    """Return about how many lines a row takes."""
    most = 1
    for cell, column in zip(row, columns, strict=True):
        if column.is_wrapped:
            most = max(most, len(textwrap.wrap(cell, column.characters)))
    return most


def _measure_column(table: Table, index: int, is_broken: bool) -> Column:
    """Return a column as wide as its widest cell and its heading, which may be broken into lines."""
    is_words = index < table.words
    widest = max((len(row[index]) for row in table.rows), default=LEAST_CHARACTERS)
    heading = table.header[index]
    lines = [heading]
    if is_broken:
        lines = _wrap_heading(heading, max(widest, LEAST_CHARACTERS))
    longest = max(map(len, lines))
    characters = max(widest, longest)
    if not is_words:
        characters = math.ceil(FIGURE_CHARACTERS * characters)
    return Column(lines, characters, is_words)


def _wrap_heading(heading: str, characters: int) -> list[str]:
    return textwrap.wrap(heading, max(characters, 1), break_long_words=False) or [""]


def _share_room(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return a width for each column of words: what it wants if that is little, else its share of what is left.

    None is made narrower than its longest word.
    """
    widths = [0] * len(wanted)
    left = room
    # The narrowest first: what they do not need falls to the others.
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for position, index in enumerate(order):
        share = left // (len(order) - position)
        widths[index] = max(min(wanted[index], share), least[index], LEAST_CHARACTERS)
        left -= widths[index]
    return widths


def _find_longest_word(table: Table, index: int) -> int:
    """Return the length of the longest piece of a column's words that LaTeX cannot break."""
    longest = 0
    for line in (table.header, *table.rows):
        for piece in re.split(r"[\s-]", line[index]):
            longest = max(longest, len(piece))
    return longest
