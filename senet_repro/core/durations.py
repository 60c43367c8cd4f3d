"""Durations in words (core floor)."""

from __future__ import annotations

import math

# Below this many seconds a person speaks of seconds, and not of minutes; below so many hours not of days.
_SECONDS_UP_TO = 90
_HOURS_UP_TO = 48


def format_duration(seconds: float) -> str:
    """Return a duration as a person says it: 42 s, 7 min, 3 h 20 min, 9 days 14 h."""
    if seconds < _SECONDS_UP_TO:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours >= _HOURS_UP_TO:
        days, hours = divmod(round(seconds / 3600), 24)
        return f"{days} days {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min"
