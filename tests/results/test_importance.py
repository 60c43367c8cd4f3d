"""The file of findings: written and read back, and refused where it is another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.importance import find_importance, read_importance, write_importance
from senet_repro.results.run_folder import RunFolder
from tests.importance import make_finding


def test_a_finding_is_read_as_it_was_written_beside_those_of_other_keys(tmp_path: Path) -> None:
    assert read_importance(tmp_path) == []
    first, second = make_finding(0), make_finding(1)
    for one in (first, second):
        write_importance(tmp_path, one)
    assert read_importance(tmp_path) == [first, second]
    changed = make_finding(0, unmasked_err_pct=31.0)
    write_importance(tmp_path, changed)
    assert find_importance(tmp_path, first.key) == changed
    assert find_importance(tmp_path, second.key) == second
    assert find_importance(tmp_path, "0f" * 32) is None


def _break(entry: dict[str, Any], path: list[Any], value: Any) -> None:
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["schema_version"], 2, "newer senet_repro"),
        (["findings"], {}, "holds no findings"),
        (["findings", 0, "unmasked_err_pct"], "low", "holds no findings"),
        (["findings", 0, "errors_pct", "all", "gate"], [], "holds no findings"),
        (["findings", 0, "errors_pct", "all", "gate", 0, 8], 101, "holds no findings"),
        (["findings", 0, "errors_pct", "2", "l1", 0], [1.0], "holds no findings"),
        (["findings", 0, "errors_pct", "2"], None, "holds no findings"),
        (["findings", 0, "cut"], {"ratio": 0.5}, "holds no findings"),
        (["findings", 0, "other"], 1, "holds no findings"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_mend(
    path: list[Any], value: Any, message: str, tmp_path: Path
) -> None:
    write_importance(tmp_path, make_finding())
    file = RunFolder(tmp_path).importance_file
    content = json.loads(file.read_text())
    _break(content, path, value)
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=message):
        read_importance(tmp_path)
