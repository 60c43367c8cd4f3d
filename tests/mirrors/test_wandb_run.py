"""Runs described from their folders, as W&B shall show them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.identity import run_dir
from senet_repro.mirrors.wandb_run import build_run_config, describe_logged_runs, read_project
from senet_repro.results.run_folder import RunFolder
from tests.mirrors.wandb_runs import leave_run
from tests.records import make_plan, make_record


def test_a_run_with_damaged_files_is_left_out_by_name_and_costs_no_other_its_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_run(tmp_path, "r=16")
    damaged = leave_run(tmp_path, "r=2", is_finished=False)
    RunFolder.of(damaged).settings_file.write_text("a: [1")
    (run,) = describe_logged_runs(tmp_path)
    assert "r16" in run.name
    line = f"W&B: {run_dir(damaged)} is left out: not files as senet_repro writes them"
    assert capsys.readouterr().err.startswith(line)


def test_a_copy_names_the_plan_and_the_outcomes_of_its_record_where_there_are_some() -> None:
    record = make_record(["r=8"], seed=0, top1=3.0)
    outcomes = {"sha256": "0" * 64, "images": 360, "ranks": 5}
    kept = {"plan": make_plan([0, 1]), "outcomes": outcomes}
    config = build_run_config({}, replace(record, **kept))
    assert config.items() >= kept.items()
    assert not kept.keys() & build_run_config({}, record).keys()


@pytest.mark.parametrize("logger", [None, "wandb", {"name": "csv"}, {}])
def test_settings_of_another_logger_or_of_none_name_no_project(logger: object) -> None:
    assert read_project({"logger": logger}) is None
    assert read_project({"logger": {"name": "wandb"}}) == "senet_repro"
