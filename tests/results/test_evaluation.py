"""What evaluate leaves behind: passes beside each other, whole files, and damage that is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from senet_repro.core.errors import ConfigError
from senet_repro.results.evaluated_folders import weights_folder
from senet_repro.results.evaluation import (
    find_finished,
    load_evaluations,
    read_evaluations,
    write_evaluation,
)
from senet_repro.results.outcomes import pack_outcomes
from senet_repro.results.run_folder import RunFolder
from tests.evaluations import make_evaluation

OUTCOMES = pack_outcomes(np.array([0, 1]), np.array([[0, 1], [0, 1]]))


def test_passes_of_other_rules_stay_and_one_of_the_same_key_is_replaced(tmp_path: Path) -> None:
    folder = weights_folder(tmp_path, "senet154", "ab" * 32)
    first = make_evaluation(size_px=224, resize_px=256, outcomes=OUTCOMES.summarise())
    other = make_evaluation(size_px=320, resize_px=320, outcomes=OUTCOMES.summarise())
    for one in (first, other, replace(first, notes=["again"])):
        write_evaluation(folder, one, OUTCOMES)
    found = read_evaluations(folder)
    assert [(one.size_px, one.notes) for one in found] == [(320, []), (224, ["again"])]
    assert all(one.folder == folder for one in found)
    assert load_evaluations(tmp_path) == (found, [])
    assert find_finished(folder, first.key) == found[1]
    assert find_finished(folder, "0" * 64) is None
    # Without its outcomes, or with others, a pass is made anew.
    file = RunFolder(folder).pass_folder(first.pass_name) / "outcomes.npz"
    file.unlink()
    assert find_finished(folder, first.key) is None


def test_the_sides_that_were_resized_are_kept(tmp_path: Path) -> None:
    folder = weights_folder(tmp_path, "resnet152", "ab" * 32)
    usual = make_evaluation()
    both = replace(usual, key="0" * 64, preprocessing={**usual.preprocessing, "sides": "both"})
    for one in (usual, both):
        write_evaluation(folder, one, OUTCOMES)
    assert [one.rule.sides for one in read_evaluations(folder)] == ["short", "both"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "holds no evaluations"),
        ('{"schema_version": 1, "evaluations": [{"key": "a"}]}', "holds no evaluations"),
        ('{"schema_version": 2, "evaluations": []}', "of a newer senet_repro"),
    ],
)
def test_a_damaged_file_is_named_and_costs_no_other(
    tmp_path: Path, text: str, message: str
) -> None:
    sound = weights_folder(tmp_path, "senet154", "ab" * 32)
    write_evaluation(sound, make_evaluation(), OUTCOMES)
    damaged = weights_folder(tmp_path, "vgg16", "cd" * 32)
    damaged.mkdir()
    RunFolder(damaged).evaluations_file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_evaluations(damaged)
    found, problems = load_evaluations(tmp_path)
    assert len(found) == 1
    assert len(problems) == 1
    assert str(damaged) in problems[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("images", "2"),
        ("metrics", {"top1_err_pct": 101}),
        ("kind", "trained"),
        ("intervals", {}),
        ("run", {"name": "without its seed"}),
        ("data", {}),
    ],
)
def test_a_field_that_cannot_be_is_no_evaluation(tmp_path: Path, field: str, value: object) -> None:
    folder = weights_folder(tmp_path, "senet154", "ab" * 32)
    write_evaluation(folder, make_evaluation(), OUTCOMES)
    file = RunFolder(folder).evaluations_file
    content = json.loads(file.read_text())
    content["evaluations"][0][field] = value
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="holds no evaluations"):
        read_evaluations(folder)
