"""The account of a campaign holds each planned run once, and whatever became of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.cli.account_text import describe_account, format_account
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_json
from senet_repro.results.account import list_planned, read_account, refuse_other_plans
from senet_repro.results.campaign import Campaign, PlannedTable
from senet_repro.results.campaign_file import CampaignFile
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.starts import add_start
from tests.folders import begin, finish
from tests.records import compose_once

ROWS = ("r=2", "r=4", "r=8")


def name(row: str) -> str:
    return run_dir(compose_once(row)).parent.name


def campaign_of(*tables: PlannedTable) -> Campaign:
    return Campaign(
        name="mine",
        written_at="2026-01-31T12:00:00+00:00",
        commit="0" * 40,
        tables={f"table{number}": table for number, table in enumerate(tables)},
    )


def table_of(rows: tuple[str, ...], seeds: list[int]) -> PlannedTable:
    return PlannedTable(overrides=[], seeds=seeds, runs=[name(row) for row in rows])


CAMPAIGN = campaign_of(table_of(ROWS, [0, 1]))
SOURCE = CampaignFile(
    question="Does r matter?", sweep=[], seeds=[0, 1], budget_h=2, smallest_effects=[], machine=[]
)


def start(run: Run, times: int) -> None:
    for _ in range(times):
        add_start(run_dir(run))


def test_rounds_go_seed_by_seed_and_hold_each_run_once() -> None:
    campaign = campaign_of(table_of(("r=2", "r=4"), [0, 1]), table_of(("r=4", "r=8"), [1]))
    two, four, eight = map(name, ROWS)
    assert list_planned(campaign) == [(two, 0), (four, 0), (two, 1), (four, 1), (eight, 1)]


def test_every_planned_run_is_in_the_account_whatever_became_of_it(tmp_path: Path) -> None:
    start(finish(tmp_path, "r=2", "seed=0"), 3)
    diverged = begin(
        tmp_path, "r=4", "seed=0", state="failed", reason="not finite\nmore", diverged=True
    )
    start(diverged, 1)
    begin(tmp_path, "r=8", "seed=0", state="failed", reason="the disk was full", diverged=False)
    begin(tmp_path, "r=2", "seed=1", state="stopped", epoch=5, epochs=10)
    finish(tmp_path, "r=32", "seed=0")
    account = read_account(tmp_path, CAMPAIGN)
    assert [run.state.state for run in account.runs] == [
        "done",
        "failed",
        "failed",
        "stopped",
        "waiting",
        "waiting",
    ]
    assert [run.is_settled for run in account.runs] == [True, True, False, False, False, False]
    assert [run.starts for run in account.runs[:3]] == [3, 1, None]
    assert account.seeds == [0, 1]
    # Half of the stopped run is done, and three others have not begun.
    assert account.left_h == pytest.approx(3.5 / 3600)
    lines = describe_account(account, 2).splitlines()
    assert lines[:2] == [
        "seed 0: 1 done, 1 failed, 1 diverged",
        "seed 1: 0 done, 1 stopped, 2 waiting",
    ]
    assert lines[2].startswith("diverged: ")
    assert lines[2].endswith("seed0: not finite")
    assert lines[3].endswith("seed0: the disk was full")
    assert lines[4:6] == [
        "1 done, 1 failed, 1 stopped, 2 waiting, 1 diverged, of 6 runs",
        "1 run was taken up again after a stop or a failure, 2 times in all",
    ]
    assert lines[6].startswith("0.00 of 2 hours in finished runs, ")
    assert lines[7] == "1 run beside them is of no plan, and left out"

    assert "more in all than was planned" in describe_account(account, 1e-4)
    text = format_account(account, CAMPAIGN, SOURCE)
    assert SOURCE.question in text
    assert f"| {name('r=2')}" in text
    assert "not finite |" in text
    assert "| 0    |    1 |      1 |        1 |       0 |" in text
    assert "| 1    |    0 |      0 |        0 |       3 |" in text


def test_before_the_first_run_nothing_tells_how_long_the_others_take(tmp_path: Path) -> None:
    account = read_account(tmp_path / "absent", CAMPAIGN)
    assert account.left_h is None
    assert {run.state.state for run in account.runs} == {"waiting"}
    assert "the first run tells how long" in describe_account(account, 1)


def test_once_all_is_done_nothing_is_left(tmp_path: Path) -> None:
    for row in ROWS:
        finish(tmp_path, row, "seed=0")
    one_round = campaign_of(replace(CAMPAIGN.tables["table0"], seeds=[0]))
    account = read_account(tmp_path, one_round)
    assert account.unsettled == []
    assert describe_account(account, 1).splitlines() == [
        "seed 0: 3 done",
        "3 done, of 3 runs",
        "no run was taken up again",
        "0.00 of 1 hours in finished runs, as if one went after the other; nothing is left to train",
    ]


def test_what_was_collected_counts_where_nothing_was_trained(tmp_path: Path) -> None:
    collected, trained = tmp_path / "collected", tmp_path / "trained"
    finish(collected, "r=2", "seed=0")
    begin(collected, "r=4", "seed=0", state="failed", reason="not finite", diverged=True)
    begin(collected, "r=8", "seed=0", state="failed", reason="the disk was full", diverged=False)
    finish(trained, "r=2", "seed=0")
    begin(trained, "r=8", "seed=0", state="stopped")
    account = read_account(trained, CAMPAIGN, collected)
    assert [run.state.state for run in account.runs[:3]] == ["done", "failed", "stopped"]
    assert [run.is_settled for run in account.runs[:3]] == [True, True, False]
    # Where both hold a run, it is the one that was trained here.
    assert account.runs[0].state.folder.is_relative_to(trained)


def test_only_runs_of_the_campaigns_own_plan_are_taken(tmp_path: Path) -> None:
    # Its pictures were not there: it had no plan yet, and is tried again.
    begin(tmp_path, "r=2", "seed=0", state="failed", reason="no pictures", diverged=False)
    ours = finish(tmp_path, "r=4", "seed=0")
    write_json(RunFolder.of(ours).plan_file, {"sha256": CAMPAIGN.sha256})
    refuse_other_plans(read_account(tmp_path, CAMPAIGN), CAMPAIGN)
    write_json(RunFolder.of(ours).plan_file, {"sha256": "of another"})
    with pytest.raises(ConfigError, match="was not begun under the plan of mine"):
        refuse_other_plans(read_account(tmp_path, CAMPAIGN), CAMPAIGN)
    RunFolder.of(ours).plan_file.unlink()
    with pytest.raises(ConfigError, match="was not begun under the plan of mine"):
        refuse_other_plans(read_account(tmp_path, CAMPAIGN), CAMPAIGN)
