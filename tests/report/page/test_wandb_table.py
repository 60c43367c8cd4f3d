"""A table on W&B says what the table says, under one id; read back from what W&B wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.mirrors.wandb_data import WandbRun
from senet_repro.mirrors.wandb_files import find_unsent_log, write_offline_runs
from senet_repro.report.page.wandb_table import TABLES_FOLDER, add_charts, describe_table
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import make_record
from tests.wandb_log import read_log

SE, PLAIN = ["r=16"], ["stages=none"]


def make_records(*protocol: str, seeds: int = 3) -> list[Record]:
    return [
        record
        for seed in range(seeds)
        for record in (
            make_record([*SE, *protocol], seed=seed, top1=3.0 + 0.1 * seed),
            make_record([*PLAIN, *protocol], seed=seed, top1=5.0 + 0.1 * seed),
        )
    ]


def build_one_table(records: list[Record], name: str = "reduction_ratio") -> ResultTable:
    (table,) = build_tables(Results(records), [find_table(name)])
    return table


def describe_one(records: list[Record], name: str = "reduction_ratio") -> WandbRun:
    return describe_table(build_one_table(records, name), Path("runs"), "mine")


def find_row(run: WandbRun, name: str) -> dict[str, Any]:
    return next(row for row in run.tables["errors"] if row["row"] == name)


def test_the_rows_are_the_papers_with_its_figures_ours_their_intervals_and_the_verdict() -> None:
    run = describe_one(make_records())
    assert run.name == "Table 10: Reduction ratio (digits, a proxy)"
    assert [row["row"] for row in run.tables["errors"]] == [
        "r = 2",
        "r = 4",
        "r = 8",
        "r = 16",
        "r = 32",
        "original",
    ]
    row = find_row(run, "r = 16")
    assert (row["paper_top1_err_pct"], row["n"], row["paper_top1_delta_pct"]) == (22.28, 3, -1.02)
    assert row["top1_err_pct"] == pytest.approx(3.1)
    # Errors a tenth apart are credited with the spread of one of 360 images.
    assert row["top1_half_width_pct"] == pytest.approx(4.3027 * 100 / 360 / 3**0.5, rel=1e-4)
    assert row["top1_delta_pct"] == pytest.approx(-2)
    assert row["top1_delta_half_width_pct"] == row["top1_half_width_pct"]
    assert row["verdict"] == "reproduced (provisional): SE at r = 16 lowers the error"
    assert find_row(run, "r = 2")["top1_err_pct"] is None  # a gap stays a gap
    assert find_row(run, "r = 2")["verdict"] == ""
    counts = [value for name, value in run.summary.items() if name.startswith("claims_")]
    assert run.summary["claims_reproduced"] >= 1
    assert sum(counts) == len(run.tables["claims"])
    assert (run.summary["rows_run"], run.summary["rows"], run.summary["seeds"]) == (2, 6, 3)
    assert (run.config["stands_for"], run.config["is_paper_protocol"]) == ("imagenet", False)
    assert "data digits (imagenet)" in run.config["departures_from_paper"]


def test_columns_of_cited_figures_stand_only_where_the_paper_cites() -> None:
    cited = make_record(["+experiment=imagenet", "stages=none"], seed=0, top1=24.0)
    (first, *_) = describe_one([cited], "imagenet").tables["errors"]
    assert "cited_top1_err_pct" in first
    (first, *_) = describe_one(make_records()).tables["errors"]
    assert "cited_top1_err_pct" not in first


@pytest.mark.parametrize(
    ("records", "same"),
    [
        (make_records(seeds=1), True),
        ([make_record(["r=2"], seed=7, top1=1.0)], True),
        (make_records("recipe.epochs=7"), False),
        ([make_record(SE, seed=0, top1=3.0, eval_images=180)], False),
    ],
    ids=["fewer seeds", "another row", "another recipe", "fewer images"],
)
def test_the_id_is_the_tables_and_the_protocols_whatever_was_run(
    records: list[Record], same: bool
) -> None:
    first, other = describe_one(make_records()), describe_one(records)
    assert first.run_id.startswith("reduction_ratio-")
    assert (first.run_id == other.run_id) == same


@pytest.mark.slow
def test_wandbs_own_files_hold_the_table_and_publishing_again_replaces_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, results_dir = tmp_path / "home", tmp_path / "runs"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    staged = []
    for seeds in (1, 3):
        table = build_one_table(make_records(seeds=seeds))
        run = add_charts(describe_table(table, results_dir, "mine"), table)
        write_offline_runs([run])
        staged.append(len([*results_dir.rglob("artifacts/staging/*")]))
    assert staged[0] == staged[1] > 0
    log_file = find_unsent_log(run)
    assert log_file is not None
    # One run's, the last.
    assert [log_file.parent] == [*(results_dir / TABLES_FOLDER).glob("*/wandb/*run-*-*")]
    written = {
        path.name.split("_")[0]: json.loads(path.read_text())
        for path in log_file.parent.rglob("*.table.json")
    }
    for name, rows in run.tables.items():
        assert written[name]["columns"] == list(rows[0])
        assert [dict(zip(rows[0], line, strict=True)) for line in written[name]["data"]] == rows
    assert written["bars"]["data"] == [
        ["r = 16", pytest.approx(3.1)],
        ["original", pytest.approx(5.1)],
    ]
    charts = {path.name.rsplit("_", 2)[0] for path in log_file.parent.rglob("*.png")}
    assert charts >= {"chart_errors", "chart_differences"}
    log = read_log(log_file)
    assert (log["run_id"], log["display_name"]) == (run.run_id, run.name)
    assert (log["run_group"], log["job_type"]) == ("reduction_ratio", "table")
    assert (log["project"], log["notes"], log["exit_code"]) == ("mine", run.notes, 0)
    assert {name: log["config"][name] for name in run.config} == run.config
    assert {name: log["summary"][name] for name in run.summary} == run.summary
    assert list(home.iterdir()) == []
