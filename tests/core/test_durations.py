"""Durations are said in the units that a person would take."""

from __future__ import annotations

import pytest

from senet_repro.core.durations import format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.2, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3599, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (172_700, "47 h 58 min"),
        (172_770, "2 days 0 h"),
        (828_000, "9 days 14 h"),
    ],
)
def test_a_duration_has_at_most_two_units_that_fit_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
