"""The words by which channels are ranked."""

from __future__ import annotations

import pytest

from senet_repro.config.importance import read_measures
from senet_repro.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gate", ["gate"]),
        ("random, gate,gate", ["gate", "random"]),
        ("l1,batchnorm", ["l1", "batchnorm"]),
    ],
)
def test_measures_are_read_once_each_in_one_order(text: str, expected: list[str]) -> None:
    assert read_measures(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gates", "did you mean gate"),
        ("gate,batchnrom", "did you mean batchnorm"),
        ("", "give gate"),
    ],
)
def test_another_word_is_refused_with_the_nearest(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_measures(text)
