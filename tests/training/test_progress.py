"""Durations as a person says them."""

from __future__ import annotations

import pytest

from senet_repro.training.progress import clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3599, "1 h 0 min"), (12000, "3 h 20 min")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
