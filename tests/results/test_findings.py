"""What is found of given weights: its fields are checked before any of them is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_json
from senet_repro.results.findings import has_fields, read_list

SOUND: dict[str, Any] = {"name": "a", "images": 3, "run": {"seed": 0, "name": "b"}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"run": None}, True),
        ({"run": {"seed": 0, "name": "b", "more": 1}}, True),
        ({"run": {"name": "b"}}, False),
        ({"run": "seed"}, False),
        ({"images": "3"}, False),
        ({"name": 1}, False),
        ({"more": "a"}, False),
    ],
)
def test_fields_are_those_of_their_names_and_types_with_the_keys_that_are_read(
    changes: dict[str, Any], expected: bool
) -> None:
    types = {"images": (int,), "run": (dict, type(None))}
    entry = SOUND | changes
    assert has_fields(entry, SOUND.keys(), types, {"run": {"seed"}}) is expected


def test_a_list_is_read_in_its_order_and_a_single_unsound_entry_refuses_it_with_the_mend(
    tmp_path: Path,
) -> None:
    path = tmp_path / "found.json"

    def read() -> list[dict[str, Any]]:
        return read_list(path, "findings", 1, lambda entry: entry != 3, mend="measure anew")

    assert read() == []
    write_json(path, {"schema_version": 1, "findings": [2, 1]})
    assert read() == [2, 1]
    write_json(path, {"schema_version": 1, "findings": [2, 3]})
    with pytest.raises(ConfigError, match=r"holds no findings as .* remove it, and measure anew"):
        read()
