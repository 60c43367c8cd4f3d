"""The state of a run follows from its files and its lock, whatever its status said last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from senet_repro.config.identity import run_dir
from senet_repro.results.plan import write_plan
from senet_repro.results.run_states import RunState, read_run_states
from tests.folders import begin, finish, planned, trained_elsewhere
from tests.results.test_plan import point


def only(results_dir: Path) -> RunState:
    (found,), messages = read_run_states(results_dir)
    assert messages == []
    return found


def test_a_finished_run_is_done(tmp_path: Path) -> None:
    run = finish(tmp_path, "r=2", "seed=3")
    found = only(tmp_path)
    assert (found.state, found.name, found.seed, found.folder) == (
        "done",
        "digits-resnet11-r2",
        3,
        run_dir(run),
    )
    assert (found.epoch, found.epochs, found.wall_s) == (10, 10, 1.0)


@pytest.mark.parametrize("state", ["running", "stopped", "failed", None])
def test_a_run_whose_lock_is_held_is_running(state: str | None, tmp_path: Path) -> None:
    run = begin(
        tmp_path, "r=2", state=state, reason="an earlier one", epoch=4, epoch_share=0.5, left_s=9.0
    )
    with trained_elsewhere(run):
        assert only(tmp_path).state == "running"
    assert only(tmp_path).state == ("failed" if state == "failed" else "stopped")


def test_what_a_running_run_said_last_is_shown(tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "epoch": 4,
        "epochs": 10,
        "epoch_share": 0.25,
        "images_per_s": 99.5,
        "left_s": 12.0,
    }
    with trained_elsewhere(begin(tmp_path, "r=2", **said)):
        found = only(tmp_path)
    assert {key: getattr(found, key) for key in said} == said


@pytest.mark.parametrize("value", [-5.0, "soon", None, []])
def test_a_clock_that_went_backwards_or_nonsense_misleads_nobody(
    value: object, tmp_path: Path
) -> None:
    with trained_elsewhere(
        begin(tmp_path, "r=2", left_s=value, images_per_s=value, epoch=2, updated_at="2099-01-01")
    ):
        found = only(tmp_path)
    assert (found.state, found.left_s, found.images_per_s) == ("running", None, None)


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    begin(tmp_path, "r=2", state="failed", reason="the loss was not finite")
    assert (only(tmp_path).state, only(tmp_path).reason) == ("failed", "the loss was not finite")


@pytest.mark.parametrize(("checkpoint", "state"), [(True, "stopped"), (False, "waiting")])
def test_a_run_without_a_status_is_known_by_its_checkpoint(
    checkpoint: bool, state: str, tmp_path: Path
) -> None:
    begin(tmp_path, "r=2", state=None, checkpoint=checkpoint)
    assert only(tmp_path).state == state


def test_planned_runs_come_first_and_in_their_order_and_wait_until_they_begin(
    tmp_path: Path,
) -> None:
    plan = [point(tmp_path, "r=4"), point(tmp_path, "r=2"), point(tmp_path, "r=8")]
    write_plan(tmp_path, plan)
    finish(tmp_path, "r=2")
    begin(tmp_path, "r=32")
    found, _ = read_run_states(tmp_path)
    assert [(run.name.rpartition("-")[2], run.state) for run in found] == [
        ("r4", "waiting"),
        ("r2", "done"),
        ("r8", "waiting"),
        ("r32", "stopped"),
    ]
    assert [run.table for run in found] == ["reduction_ratio"] * 3 + [None]
    assert found[0].overrides == ["r=4", "seed=0"]


def test_other_folders_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "report" / "seed0").mkdir(parents=True)
    (tmp_path / ".hydra").mkdir()
    assert read_run_states(tmp_path) == ([], [])
    assert read_run_states(tmp_path / "missing") == ([], [])


def test_a_planned_run_is_as_its_folder_says(tmp_path: Path) -> None:
    run = begin(tmp_path, "r=2", epoch=3)
    write_plan(tmp_path, [planned(run)])
    with trained_elsewhere(run):
        assert (only(tmp_path).state, only(tmp_path).epochs) == ("running", 10)
