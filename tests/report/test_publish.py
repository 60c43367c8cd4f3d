"""A table on W&B says what the table says, under one id, in files below the results; read back from what W&B wrote."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.mirrors import wandb_home
from senet_repro.report import publish as publishing
from senet_repro.report.publish import FOLDER, Content, content, publish
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import make_record
from tests.wandb_log import told

SE, PLAIN = ["r=16"], ["stages=none"]


def _records(*protocol: str, seeds: int = 3) -> list[Record]:
    return [
        record
        for seed in range(seeds)
        for record in (
            make_record([*SE, *protocol], seed=seed, top1=3.0 + 0.1 * seed),
            make_record([*PLAIN, *protocol], seed=seed, top1=5.0 + 0.1 * seed),
        )
    ]


def _table(records: list[Record], name: str = "reduction_ratio") -> ResultTable:
    (table,) = build_tables(Results(records), [find_table(name)])
    return table


def _row(shown: Content, name: str) -> dict[str, Any]:
    return next(row for row in shown.rows if row["row"] == name)


def test_the_rows_are_the_papers_with_its_figures_ours_their_intervals_and_the_verdict() -> None:
    shown = content(_table(_records()))
    assert shown.name == "Table 10: Reduction ratio (digits, a proxy)"
    assert [row["row"] for row in shown.rows] == [
        "r = 2",
        "r = 4",
        "r = 8",
        "r = 16",
        "r = 32",
        "original",
    ]
    row = _row(shown, "r = 16")
    assert (row["paper_top1_err_pct"], row["n"], row["paper_top1_delta_pct"]) == (22.28, 3, -1.02)
    assert row["top1_err_pct"] == pytest.approx(3.1)
    assert row["top1_half_width_pct"] == pytest.approx(4.3027 * 0.1 / 3**0.5, rel=1e-4)
    assert row["top1_delta_pct"] == pytest.approx(-2)
    assert row["top1_delta_half_width_pct"] == pytest.approx(0, abs=1e-9)
    assert row["verdict"] == "reproduced: SE at r = 16 lowers the error"
    assert _row(shown, "r = 2")["top1_err_pct"] is None  # a gap stays a gap
    assert _row(shown, "r = 2")["verdict"] == ""
    assert shown.summary["claims_reproduced"] >= 1
    assert sum(value for name, value in shown.summary.items() if name.startswith("claims_")) == len(
        shown.claims
    )
    assert (shown.summary["rows_run"], shown.summary["rows"], shown.summary["seeds"]) == (2, 6, 3)
    assert (shown.config["stands_for"], shown.config["is_paper_protocol"]) == ("imagenet", False)
    assert "data digits (imagenet)" in shown.config["departures_from_paper"]


def test_columns_of_cited_figures_stand_only_where_the_paper_cites() -> None:
    cited = content(
        _table(
            [make_record(["+experiment=imagenet", "stages=none"], seed=0, top1=24.0)], "imagenet"
        )
    )
    assert "cited_top1_err_pct" in cited.rows[0]
    assert "cited_top1_err_pct" not in content(_table(_records())).rows[0]


@pytest.mark.parametrize(
    ("records", "same"),
    [
        (_records(seeds=1), True),
        ([make_record(["r=2"], seed=7, top1=1.0)], True),
        (_records("recipe.epochs=7"), False),
        ([make_record(SE, seed=0, top1=3.0, eval_images=180)], False),
    ],
    ids=["fewer seeds", "another row", "another recipe", "fewer images"],
)
def test_the_id_is_the_tables_and_the_protocols_whatever_was_run(
    records: list[Record], same: bool
) -> None:
    first, other = content(_table(_records())), content(_table(records))
    assert first.run_id.startswith("reduction_ratio-")
    assert (first.run_id == other.run_id) == same


@pytest.mark.slow
def test_wandbs_own_files_hold_the_table_and_publishing_again_replaces_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    staged = []
    for seeds in (1, 3):
        table = _table(_records(seeds=seeds))
        shown = content(table)
        done = publish(table, shown, results_dir=tmp_path / "runs", project="mine", limit_s=60)
        staged.append(len([*(tmp_path / "runs").rglob("artifacts/staging/*")]))
    assert staged[0] == staged[1] > 0
    assert done.url is None
    assert [done.folder] == [
        *(tmp_path / "runs" / FOLDER).glob("*/wandb/*run-*-*")
    ]  # one run's, the last
    written = {
        path.name.split("_")[0]: json.loads(path.read_text())
        for path in done.folder.rglob("*.table.json")
    }
    for name, rows in (("errors", shown.rows), ("claims", shown.claims)):
        assert written[name]["columns"] == list(rows[0])
        assert [dict(zip(rows[0], line, strict=True)) for line in written[name]["data"]] == rows
    assert written["bars"]["data"] == [
        ["r = 16", pytest.approx(3.1)],
        ["original", pytest.approx(5.1)],
    ]
    charts = {path.name.rsplit("_", 2)[0] for path in done.folder.rglob("*.png")}
    assert charts >= {"chart_errors", "chart_differences"}
    log = told(done.folder / f"run-{shown.run_id}.wandb")
    assert (log["run_id"], log["display_name"]) == (shown.run_id, shown.name)
    assert (log["run_group"], log["job_type"], log["project"]) == (
        "reduction_ratio",
        "table",
        "mine",
    )
    assert {name: log["config"][name] for name in shown.config} == shown.config
    assert {name: log["summary"][name] for name in shown.summary} == shown.summary
    assert log["exit_code"] == 0
    assert list(home.iterdir()) == []


class FakeRun(SimpleNamespace):
    """What wandb.init gives online."""

    def log(self, media: dict[str, Any]) -> None:
        self.media = media

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


@pytest.fixture
def inits(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What wandb.init is asked for; it answers as the server would, but for a mode of `refuse`."""
    import wandb

    asked: list[dict[str, Any]] = []

    def init(**said: Any) -> FakeRun:
        asked.append(said)
        if said["mode"] == "online" and said["project"] == "refuse":
            raise wandb.errors.CommError("no route\nwhile retrying")
        folder = SimpleNamespace(sync_dir=str(said["dir"]))
        return FakeRun(
            offline=said["mode"] == "offline", url="https://wandb/x", summary={}, settings=folder
        )

    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.setattr(wandb, "teardown", lambda: asked.append({"mode": "teardown"}))
    monkeypatch.setattr(wandb_home, "_unanswered", [])
    monkeypatch.setattr(publishing, "draw_table_figures", lambda *_: [])
    return asked


def test_with_a_key_a_later_publish_goes_on_in_the_same_run(
    tmp_path: Path, inits: list[dict[str, Any]]
) -> None:
    for seeds in (2, 3):
        table = _table(_records(seeds=seeds))
        done = publish(table, content(table), results_dir=tmp_path, project="mine", limit_s=60)
        assert (done.url, done.folder) == ("https://wandb/x", None)
    assert [(said["mode"], said["resume"]) for said in inits] == [("online", "allow")] * 2
    assert inits[0]["id"] == inits[1]["id"]


def test_a_server_that_does_not_answer_is_asked_once(
    tmp_path: Path, inits: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    table = _table(_records())
    for _ in range(2):
        done = publish(table, content(table), results_dir=tmp_path, project="refuse", limit_s=60)
        assert done.folder is not None
    assert [said["mode"] for said in inits] == ["online", "teardown", "offline", "offline"]
    assert "resume" not in inits[-1]
    assert capsys.readouterr().err == "W&B: no route; copying offline\n"


@pytest.mark.alone
def test_nobody_waits_longer_than_asked(
    tmp_path: Path, inits: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "begin", lambda *_, **__: time.sleep(2))
    table = _table(_records())
    began_s = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.1 s"):
        publish(table, content(table), results_dir=tmp_path, project="mine", limit_s=0.1)
    assert time.monotonic() - began_s < 1
