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
    plural = choose_form(count, "", "s")
    return f"{count} {noun}{plural}"


def choose_form(count: int, singular: str, plural: str) -> str:
    """Return the form of a word that goes with a count, such as `is` with 1 and `are` with 2."""
    if count == 1:
        return singular
    return plural


def name_some(items: Iterable[Any], most: int = 3) -> str:
    """Return the first items of many, and how many more there are: `a, b, c and 4 more`."""
    words = [str(item) for item in items]
    named = ", ".join(words[:most])
    others = len(words) - most
    if others <= 0:
        return named
    return f"{named} and {others:,} more"
