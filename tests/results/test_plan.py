"""A sweep's plan is one file, and what several plan is one run."""

from __future__ import annotations

import json
from pathlib import Path

from senet_repro.config.composition import compose
from senet_repro.results.plan import PLANS, PlannedRun, drop_planned, read_plans, write_plan
from tests.folders import planned


def point(tmp_path: Path, *overrides: str) -> PlannedRun:
    return planned(compose([*overrides, f"results_dir={tmp_path}"]))


def test_what_is_written_is_read_in_its_order(tmp_path: Path) -> None:
    runs = [point(tmp_path, "r=4"), point(tmp_path, "r=2"), point(tmp_path, "r=2", "seed=1")]
    write_plan(tmp_path, runs)
    assert read_plans(tmp_path) == (runs, [])


def test_the_same_sweep_writes_the_same_file_and_another_its_own(tmp_path: Path) -> None:
    one, two = [point(tmp_path, "r=2")], [point(tmp_path, "r=2"), point(tmp_path, "r=4")]
    assert write_plan(tmp_path, one) == write_plan(tmp_path, one) != write_plan(tmp_path, two)
    assert read_plans(tmp_path)[0] == two


def test_no_plans_are_no_runs(tmp_path: Path) -> None:
    assert read_plans(tmp_path) == ([], [])


def test_a_plan_that_cannot_be_read_is_told_and_the_others_count(tmp_path: Path) -> None:
    good = write_plan(tmp_path, [point(tmp_path, "r=2")])
    contents = {
        "cut.json": good.read_text()[:40],
        "list.json": "[]",
        "newer.json": json.dumps({"schema_version": 99, "runs": []}),
        "other.json": json.dumps({"schema_version": 1, "runs": [{"folder": "x"}]}),
    }
    for name, text in contents.items():
        (tmp_path / PLANS / name).write_text(text)
    runs, messages = read_plans(tmp_path)
    assert [run.folder for run in runs] == [point(tmp_path, "r=2").folder]
    assert len(messages) == 4
    assert all(any(name in message for message in messages) for name in contents)
    assert any("update it" in message for message in messages if "newer" in message)


def test_runs_are_taken_out_of_every_plan_and_a_plan_of_none_goes(tmp_path: Path) -> None:
    one, two = point(tmp_path, "r=2"), point(tmp_path, "r=4")
    both, single = write_plan(tmp_path, [one, two]), write_plan(tmp_path, [one])
    damaged = tmp_path / PLANS / "cut.json"
    damaged.write_text("{")
    drop_planned(tmp_path, {one.folder})
    assert [path.exists() for path in (both, single, damaged)] == [True, False, True]
    assert read_plans(tmp_path)[0] == [two]
