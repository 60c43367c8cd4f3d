"""Check a word against the legal ones, or find the one that was meant (core floor)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words


def require_choice(key: str, value: Any, legal: Iterable[Any], offered_by: str = "") -> None:
    """Accept a value that is one of the legal ones.

    Raises:
        ConfigError: the value is another; the message names the legal ones, and `offered_by` as their source.
    """
    choices = list(legal)
    if value in choices:
        return
    mend = f"give {join_words(choices, 'or')}"
    if offered_by:
        mend = f"{offered_by} offers {join_words(choices, 'and')}"
    raise ConfigError(f"{key}={value}: {mend}")


def find_nearest(word: str, known: Iterable[str], least_likeness: float = 0.6) -> str | None:
    """Return the known word that a misspelt one is most alike; None where it is like none.

    Words whose likeness is below `least_likeness` are like none; that of equal words is 1.
    """
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=least_likeness)
    if not found:
        return None
    return found[0]
