"""Print other people's names so that a terminal shows them and does not obey them (core floor)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TextIO

# Control characters but the line feed; marks that turn the direction of the text around them; halves of characters,
# which stand for the bytes of a file's name that are no text and cannot be printed.
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def escape_controls(text: str) -> str:
    """Return text with every character that a terminal obeys instead of showing it in Python's notation.

    Lines stay lines. A name in a file of somebody else's could clear the screen or hide what follows it.
    """
    return _UNSEEN.sub(_write_in_notation, text)


def _write_in_notation(found: re.Match[str]) -> str:
    """Return a character in Python's notation, such as \\x1b."""
    return ascii(found[0]).strip("'")


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


def print_skipped(messages: Iterable[str]) -> None:
    """Print on standard error what a verb left out, a line for each message."""
    for message in messages:
        print_line(f"skipped {message}", file=sys.stderr)
