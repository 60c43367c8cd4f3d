"""What `cost` leaves behind: read as it was written, and refused where it is another's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.costs import (
    COSTS,
    find_cost_file,
    hash_cost,
    load_costs,
    read_cost,
    write_cost,
)
from tests.costs import GPU, SETTING, make_cost


def test_a_measurement_is_read_as_it_was_written_and_one_of_its_key_is_replaced(
    tmp_path: Path,
) -> None:
    first = make_cost(energy_j=[[1.5, 1.6], [1.7, 1.8]])
    other = make_cost(setting=GPU)
    for one in (first, other, replace(first, memory_is="Again.")):
        path = write_cost(tmp_path, one)
        assert read_cost(path) == one
        assert read_cost(path).path == path
    found, problems = load_costs(tmp_path)
    assert problems == []
    assert {one.memory_is for one in found} == {"Again.", other.memory_is}
    assert {path.suffix for path in (tmp_path / COSTS).iterdir()} == {".json"}


def test_a_rehearsal_is_kept_apart_and_never_loaded(tmp_path: Path) -> None:
    rehearsal = make_cost(is_quick=True)
    assert rehearsal.key != make_cost().key
    path = write_cost(tmp_path, rehearsal)
    assert read_cost(path) == rehearsal
    assert load_costs(tmp_path) == ([], [])
    assert load_costs(tmp_path / "nothing") == ([], [])


def test_whatever_decides_milliseconds_decides_the_key() -> None:
    keys = [
        hash_cost(network, px, setting, is_quick)
        for network, px, setting, is_quick in (
            ("a", 224, SETTING, False),
            ("b", 224, SETTING, False),
            ("a", 299, SETTING, False),
            ("a", 224, SETTING, True),
            ("a", 224, replace(SETTING, precision="bf16-mixed"), False),
            ("a", 224, replace(SETTING, is_compiled=True), False),
            ("a", 224, replace(SETTING, batch=16), False),
            ("a", 224, replace(SETTING, threads=2), False),
            ("a", 224, replace(SETTING, torch="2.15"), False),
            ("a", 224, GPU, False),
        )
    ]
    assert len(set(keys)) == len(keys)


def _set_value(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        for name in path[:-1]:
            values = values[name]
        values[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set_value("schema_version", to=2), "is of a newer senet_repro: update it"),
        (_set_value("network", to="resnet18"), "holds no costs as senet_repro writes them"),
        (_set_value("more", to=1), "holds no costs"),
        (_set_value("px", to=True), "holds no costs"),
        (_set_value("params", to=[1]), "holds no costs"),
        (_set_value("times_ms", to={}), "holds no costs"),
        (_set_value("times_ms", "inference", to=[[1.0], [1.0, 2.0]]), "holds no costs"),
        (_set_value("times_ms", "one_image", to=[[1.0], [0.0]]), "holds no costs"),
        (_set_value("energy_j", to=[[1.0]]), "holds no costs"),
        (_set_value("setting", "threads", to="one"), "holds no costs"),
        (_set_value("machine", "load", to=None), "holds no costs"),
        (_set_value("network", to="resnet101"), "holds the costs of resnet101-"),
    ],
)
def test_a_foreign_or_newer_file_is_named_with_the_mend_and_costs_no_other(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    sound = write_cost(tmp_path, make_cost(network="vgg16"))
    cost = make_cost()
    path = write_cost(tmp_path, cost)
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=message):
        read_cost(path)
    found, (problem,) = load_costs(tmp_path)
    assert [one.path for one in found] == [sound]
    assert problem.startswith(str(path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    path = find_cost_file(tmp_path, "resnet50", "ab" * 32)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ConfigError, match="remove it, and measure anew"):
        read_cost(path)
