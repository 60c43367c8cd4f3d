"""Lists and counts read as a person would write them."""

from __future__ import annotations

import pytest

from senet_repro.core.wording import count_noun, escape_controls, escape_line, join_words


@pytest.mark.parametrize(
    ("items", "text"), [([], "none"), ([1], "1"), (["a", 2], "a or 2"), ("abc", "a, b or c")]
)
def test_join_words(items: list[object], text: str) -> None:
    assert join_words(items, "or") == text
    assert join_words(iter(items), "or") == text


def test_count_noun() -> None:
    assert [count_noun(count, "run") for count in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


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
