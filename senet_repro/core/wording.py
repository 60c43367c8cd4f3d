"""Lists and counts as sentences write them (core floor)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


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
