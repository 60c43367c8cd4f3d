"""The one check of a value against those that exist (models floor)."""

from __future__ import annotations

from collections.abc import Iterable


def require(what: str, value: object, legal: Iterable[object]) -> None:
    """Return silently if the value is one of the legal ones.

    Raises:
        ValueError: it is not; the message says what it should have been and names the legal ones.
    """
    choices = tuple(legal)
    if value not in choices:
        mend = f"choose from: {', '.join(map(str, choices))}" if choices else "there are none"
        raise ValueError(f"{value!r} is no {what}; {mend}")
