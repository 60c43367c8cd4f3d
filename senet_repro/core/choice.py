"""The one check of a setting's value against the legal ones (core floor)."""

from __future__ import annotations

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
