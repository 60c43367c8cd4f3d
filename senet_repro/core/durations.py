"""Durations in words (core floor)."""

from __future__ import annotations

import math


def clock(seconds: float) -> str:
    """A duration as a person says it: 42 s, 7 min, 3 h 20 min."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
