"""Lists and counts as sentences write them (core floor)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

# Control characters but the line feed; marks that turn the direction of the text around them; halves of characters,
# which stand for the bytes of a file's name that are no text and cannot be printed.
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def escape_controls(text: str) -> str:
    """Return text with every character that a terminal obeys instead of showing it in Python's notation.

    Lines stay lines. A name in a file of somebody else's could clear the screen or hide what follows it.
    """
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def escape_line(text: str) -> str:
    """Return text as `escape_controls` makes it safe, in one line."""
    return escape_controls(text).replace("\n", "\\n")


def print_line(text: str, file: TextIO | None = None) -> None:
    """Print a line that may hold other people's names, as `escape_line` makes it safe."""
    # Looked up now, since tests and launchers put another stream in its place.
    print(escape_line(text), file=file or sys.stdout)


def print_text(text: str, file: TextIO | None = None) -> None:
    """Print lines that may hold other people's names, as `escape_controls` makes them safe."""
    print(escape_controls(text), file=file or sys.stdout)


def join_words(items: Iterable[Any], conjunction: str) -> str:
    """Return the items as a sentence lists them: `a, b or c`; `none` if there are no items."""
    words = [str(item) for item in items]
    if not words:
        return "none"
    if len(words) == 1:
        return words[0]
    first_words = ", ".join(words[:-1])
    return f"{first_words} {conjunction} {words[-1]}"


def count_noun(count: int, noun: str) -> str:
    """Return a count with its noun, which takes an s in the plural: `1 run`, `2 runs`."""
    plural = "" if count == 1 else "s"
    return f"{count} {noun}{plural}"


def name_some(items: Iterable[Any], most: int = 3) -> str:
    """Return the first items of many, and how many more there are: `a, b, c and 4 more`."""
    words = [str(item) for item in items]
    named = ", ".join(words[:most])
    others = len(words) - most
    return f"{named} and {others:,} more" if others > 0 else named
