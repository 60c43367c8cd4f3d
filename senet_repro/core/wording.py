"""Lists and counts as sentences write them (core floor)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def join_words(items: Iterable[Any], conjunction: str) -> str:
    """Return the items as a sentence lists them: `a, b or c`; `none` if there are no items."""
    *head, last = map(str, items or ["none"])
    if not head:
        return last
    return f"{', '.join(head)} {conjunction} {last}"


def count_noun(count: int, noun: str) -> str:
    """Return a count with its noun, which takes an s in the plural: `1 run`, `2 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
