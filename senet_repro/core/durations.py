"""Durations in words (core floor)."""

from __future__ import annotations

import math

# Below this many seconds a person speaks of seconds, and not of minutes.
_SECONDS_UP_TO = 90


def format_duration(seconds: float) -> str:
    """Return a duration as a person says it: 42 s, 7 min, 3 h 20 min."""
    if seconds < _SECONDS_UP_TO:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min"
