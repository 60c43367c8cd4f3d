"""Names that other people gave are shown by a terminal, and not obeyed."""

from __future__ import annotations

import pytest

from senet_repro.core.printing import escape_controls, escape_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r = 16, données, 4\u2009px", "r = 16, données, 4\u2009px"),
        ("two\nlines", "two\nlines"),
        ("\x1b[2J\rgone\x07", "\\x1b[2J\\rgone\\x07"),
        ("\u202etxt.exe\u2066", "\\u202etxt.exe\\u2066"),
        ("a\udcffb\x9b\ufeff", "a\\udcffb\\x9b\\ufeff"),
    ],
)
def test_nothing_that_a_terminal_obeys_is_left_in_a_text(text: str, shown: str) -> None:
    assert escape_controls(text) == shown
    assert escape_line(text) == shown.replace("\n", "\\n")
