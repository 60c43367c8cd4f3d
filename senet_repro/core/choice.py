"""The one check of a value against those that exist (config floor; no torch)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from senet_repro.core.errors import ConfigError


def require(key: str, value: Any, legal: Iterable[Any], who: str = "") -> None:
    """Accept a value that is one of the legal ones.

    Raises:
        ConfigError: it is not; the message names the legal ones, as those that `who` offers if somebody does.
    """
    choices = list(legal)
    if value not in choices:
        mend = f"{who} offers {listed(choices, 'and')}" if who else f"give {listed(choices, 'or')}"
        raise ConfigError(f"{key}={value}: {mend}")


def listed(items: Iterable[Any], last: str) -> str:
    """The items as a sentence lists them: `a, b or c`, or `none`."""
    *head, tail = map(str, items or ["none"])
    return f"{', '.join(head)} {last} {tail}" if head else tail
