"""Lists and counts read as a person would write them."""

from __future__ import annotations

import pytest

from senet_repro.core.wording import choose_form, count_noun, join_words


@pytest.mark.parametrize(
    ("items", "text"), [([], "none"), ([1], "1"), (["a", 2], "a or 2"), ("abc", "a, b or c")]
)
def test_join_words(items: list[object], text: str) -> None:
    assert join_words(items, "or") == text
    assert join_words(iter(items), "or") == text


def test_count_noun() -> None:
    assert [count_noun(count, "run") for count in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


@pytest.mark.parametrize(("count", "form"), [(0, "are"), (1, "is"), (2, "are")])
def test_choose_form(count: int, form: str) -> None:
    assert choose_form(count, "is", "are") == form
