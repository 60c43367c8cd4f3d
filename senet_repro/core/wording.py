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
