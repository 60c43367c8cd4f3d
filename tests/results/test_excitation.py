"""Studies of gates are read back as they were written, and whatever else lies there is named with the mend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.excitation import load_studies, read_study, write_study
from senet_repro.results.run_folder import RunFolder
from tests.gate_studies import make_study


def make_seed(results: Path, seed: int) -> Path:
    folder = results / "cifar10-x-abababab" / f"seed{seed}"
    folder.mkdir(parents=True)
    write_study(folder, make_study(seed))
    return folder


def test_a_study_is_read_as_it_was_written_and_its_curves_lie_beside_it(tmp_path: Path) -> None:
    folder = make_seed(tmp_path, 0)
    assert read_study(folder) == make_study(0)
    lines = RunFolder(folder).gates_csv_file.read_text().splitlines()
    assert lines[:3] == [
        "block,channel,class,mean_gate,sd_gate,images,mean_gate_all_classes",
        "SE_2_1,1,<b>,0.1,0.0,50,0.2",
        "SE_2_1,5,<b>,0.3,0.1,50,0.4",
    ]
    assert read_study(tmp_path) is None


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda values: values.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("schema_version", 2), "is of a newer senet_repro: update it"),
        (_set("more", 1), "holds no study"),
        (_set("images", "many"), "holds no study"),
        (_set("run", {"name": "x"}), "holds no study"),
        (_set("figures", {"x": {"value": 1.0}}), "holds no study"),
        (_set("figures", {"x": {"value": None, "standard_error": 1, "degrees": 9}}), "holds no"),
        (_set("classes", []), "holds no study"),
        (lambda values: values["curves"][0]["overall"].pop(), "holds no study"),
        (lambda values: values["curves"][0].pop("sds"), "holds no study"),
    ],
)
def test_a_foreign_or_newer_file_is_named_with_the_mend_and_costs_no_other(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    make_seed(tmp_path, 0)
    file = RunFolder(make_seed(tmp_path, 1)).excitation_file
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=message):
        read_study(file.parent.parent)
    (found,), (problem,) = load_studies(tmp_path)
    assert found.run is not None
    assert found.run["seed"] == 0
    assert problem.startswith(str(file))
