"""A sweep's plan is one file that keeps its age; what several plan is one run, which knows the oldest of them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.core.checkout import Commit
from senet_repro.results import plan
from senet_repro.results.campaign import Campaign, PlannedTable, write_campaign
from senet_repro.results.plan import (
    PLANS,
    PlannedRun,
    drop_planned,
    find_plan,
    keep_plan,
    read_kept_plan,
    read_plans,
    write_plan,
)
from senet_repro.results.run_folder import RunFolder
from tests.folders import begin, planned
from tests.records import compose_once


def point(tmp_path: Path, *overrides: str) -> PlannedRun:
    return planned(run_of(tmp_path, *overrides))


def run_of(tmp_path: Path, *overrides: str) -> Run:
    return replace(compose_once(*overrides), results_dir=str(tmp_path))


def set_age(path: Path, hour: int) -> None:
    """Let a plan have been written at an hour of one day."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "written_at": f"2026-01-01T{hour:02}:00:00+00:00"}))


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


def test_a_plan_says_when_and_at_which_commit_of_what_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "read_commit", lambda: Commit("c" * 40, dirty=True))
    runs = [
        point(tmp_path, "r=2"),
        replace(point(tmp_path, "r=2", "seed=1"), overrides=["r=2", "lr", "seed=1"]),
    ]
    content = json.loads(write_plan(tmp_path, runs).read_text())
    assert (content["commit"], content["dirty"]) == ("c" * 40, True)
    assert (content["seeds"], content["tables"]) == ([0, 1], ["reduction_ratio"])
    # What all of its runs share.
    assert content["protocol"] == ["r=2"]


def test_a_sweep_that_is_begun_again_keeps_its_plan(tmp_path: Path) -> None:
    runs = [point(tmp_path, "r=2"), point(tmp_path, "r=4")]
    path = write_plan(tmp_path, runs)
    set_age(path, 3)
    drop_planned(tmp_path, {runs[0].folder})
    kept = find_plan(run_of(tmp_path, "r=4"))
    assert kept is not None
    assert (kept["id"], kept["written_at"]) == (f"{PLANS}/{path.name}", "2026-01-01T03:00:00+00:00")
    assert read_plans(tmp_path)[0] == runs[1:]
    # Whoever sweeps again waits for all of it; records go on to know the plan by its hash.
    assert write_plan(tmp_path, runs) == path
    assert read_plans(tmp_path)[0] == runs
    assert find_plan(run_of(tmp_path, "r=4")) == kept


def test_a_plan_that_was_changed_is_another_one(tmp_path: Path) -> None:
    runs = [point(tmp_path, "r=2"), point(tmp_path, "r=2", "seed=1")]
    path = write_plan(tmp_path, runs)
    set_age(path, 3)
    first = find_plan(run_of(tmp_path, "r=2"))
    set_age(path, 2)
    earlier = find_plan(run_of(tmp_path, "r=2"))
    assert first is not None
    assert earlier is not None
    assert first["sha256"] != earlier["sha256"]


def test_a_plan_of_schema_1_is_as_old_as_its_file(tmp_path: Path) -> None:
    runs = [point(tmp_path, "r=2")]
    path = write_plan(tmp_path, runs)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({"schema_version": 1, "runs": content["runs"]}))
    os.utime(path, (0, 0))
    for _ in range(2):
        found = find_plan(run_of(tmp_path, "r=2"))
        assert found is not None
        assert (found["written_at"], found["seeds"]) == ("1970-01-01T00:00:00+00:00", [0])
        # In the form of this version it says so itself.
        assert write_plan(tmp_path, runs) == path
    assert json.loads(path.read_text())["schema_version"] == 2


def test_a_run_knows_the_campaigns_plan_and_otherwise_the_oldest_of_a_sweep(tmp_path: Path) -> None:
    run = run_of(tmp_path, "r=2")
    assert find_plan(run) is None
    young = write_plan(tmp_path, [planned(run)])
    old = write_plan(tmp_path, [planned(run), point(tmp_path, "r=4")])
    write_plan(tmp_path, [point(tmp_path, "r=8")])
    (tmp_path / PLANS / "damaged.json").write_text("{")
    set_age(young, 5)
    set_age(old, 4)
    found = find_plan(run)
    assert found is not None
    assert found["id"] == f"{PLANS}/{old.name}"
    table = PlannedTable(overrides=[], seeds=[0], runs=[run_dir(run).parent.name])
    now = "2026-01-01T09:00:00+00:00"
    campaign = Campaign(name="x", written_at=now, commit=None, tables={"squeeze": table})
    write_campaign(tmp_path, campaign)
    for seed, expected in ((0, "plan.yaml"), (1, None)):
        found = find_plan(replace(run, seed=seed))
        assert (found and found["id"]) == expected


def test_a_run_that_was_begun_keeps_the_plan_that_it_was_begun_under(tmp_path: Path) -> None:
    run = begin(tmp_path, "r=2", checkpoint=False)
    folder = RunFolder.of(run)
    assert keep_plan(run) is None
    write_plan(tmp_path, [planned(run)])
    # Nothing of it was trained yet.
    kept = keep_plan(run)
    assert kept is not None
    assert kept == find_plan(run) == read_kept_plan(folder)
    folder.last_checkpoint.write_bytes(b"weights")
    set_age(tmp_path / kept["id"], 1)
    assert keep_plan(run) == kept != find_plan(run)
    folder.plan_file.write_text("null")
    assert keep_plan(run) is None
