"""Copies for W&B say what the run wrote, lie in its folder alone, and cost nothing else where W&B fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.identity import run_dir
from senet_repro.mirrors import wandb_files
from senet_repro.mirrors.wandb_data import WandbRun
from senet_repro.mirrors.wandb_files import (
    find_unsent_log,
    is_written,
    write_offline_runs,
)
from senet_repro.mirrors.wandb_process import WandbError
from senet_repro.mirrors.wandb_run import describe_logged_runs
from senet_repro.mirrors.wandb_sync import send_logs
from tests.mirrors.wandb_runs import leave_run
from tests.wandb_log import read_log
from tests.wandb_server import wandb_server

TABLE_10 = "+ablation=reduction_ratio"


def put_stand_in_for_wandb(monkeypatch: pytest.MonkeyPatch, folder: Path, init: str) -> None:
    """Let W&B's processes import a library named wandb which does something else, whatever it is asked for."""
    library = folder / "wandb"
    (library / "sdk").mkdir(parents=True)
    code = f"import os, signal, time\nSettings = dict\ndef init(**_):\n    {init}\n"
    (library / "__init__.py").write_text(code)
    (library / "sdk" / "__init__.py").write_text("import wandb\nwandb.init()\n")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")


def describe_one(results_dir: Path) -> WandbRun:
    (run,) = describe_logged_runs(results_dir)
    return run


def test_a_run_is_described_by_its_settings_epochs_and_record(tmp_path: Path) -> None:
    leave_run(tmp_path, TABLE_10, "r=4", "logger.project=mine", seed=3)
    run = describe_one(tmp_path)
    assert run.run_id.endswith("-seed3")
    assert (run.project, run.group) == ("mine", "reduction_ratio")
    assert run.name == "digits-resnet11-r4 seed 3"
    assert [epoch["epoch"] for epoch in run.history] == [1, 2]
    (row,) = run.tables["result"]
    assert (row["r"], row["squeeze"], row["seed"]) == ("4", "avg", 3)
    assert (row["loss"], row["top1_err_pct"], row["top5_err_pct"]) == (
        0.1,
        pytest.approx(3.3),
        0.5,
    )
    assert run.summary == {**row, "state": "done"}
    assert run.config["recipe"]["name"]
    assert run.config["hardware"]["device"] == "cpu"


def test_a_network_without_se_has_a_row_without_axes(tmp_path: Path) -> None:
    leave_run(tmp_path, "stages=none")
    run = describe_one(tmp_path)
    (row,) = run.tables["result"]
    assert (row["r"], row["squeeze"], row["placement"]) == ("none", "", "")
    assert run.group == "demo"


def test_a_run_that_is_not_finished_is_described_by_its_epochs(tmp_path: Path) -> None:
    leave_run(tmp_path, is_finished=False, epochs=1)
    leave_run(tmp_path, "r=2", logger="csv")
    run = describe_one(tmp_path)
    assert not run.is_finished
    assert (len(run.history), run.tables, run.summary) == (1, {}, {"state": "running"})


@pytest.mark.slow
def test_files_hold_the_run_lie_in_its_folder_alone_and_replace_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, results_dir = tmp_path / "home", tmp_path / "runs"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    leave_run(results_dir, TABLE_10, is_finished=False, epochs=1)
    under_way = describe_one(results_dir)
    write_offline_runs([under_way])
    first = find_unsent_log(under_way)
    assert first is not None
    content = read_log(first)
    assert (content["run_id"], content["exit_code"]) == (under_way.run_id, 1)
    assert content["history"]["top1_err_pct"] == 10.0
    staged = len([*results_dir.rglob("staging/*")])

    run = leave_run(results_dir, TABLE_10)
    finished = describe_one(results_dir)
    assert finished.run_id == under_way.run_id
    assert not is_written(finished)
    write_offline_runs([finished])
    assert is_written(finished)
    (log,) = run_dir(run).rglob("run-*.wandb")
    assert log == find_unsent_log(finished) != first
    content = read_log(log)
    assert (content["display_name"], content["exit_code"]) == (finished.name, 0)
    assert (content["run_group"], content["project"]) == ("reduction_ratio", "senet_repro")
    assert content["config"]["recipe"] == finished.config["recipe"]
    assert {name: content["summary"][name] for name in finished.summary} == finished.summary
    (table,) = log.parent.glob("files/media/table/result_*.table.json")
    data = json.loads(table.read_text())
    (row,) = finished.tables["result"]
    assert dict(zip(data["columns"], data["data"][0], strict=True)) == row

    # Once more: what the second wrote makes room for what the third writes.
    write_offline_runs([replace(finished, notes="again")])
    assert len([*results_dir.rglob("staging/*")]) <= staged + 2
    assert list(home.iterdir()) == []
    inside = {path.name for path in run_dir(run).iterdir()}
    assert inside == {"config.yaml", "metrics.jsonl", "record.json", "wandb"}


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("raise ConnectionError('no route to host')", "ConnectionError: no route to host"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "its process ended with exit code -9"),
    ],
    ids=["it raises", "it is killed"],
)
def test_where_wandb_fails_the_error_is_a_line(
    init: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_stand_in_for_wandb(monkeypatch, tmp_path / "library", init)
    leave_run(tmp_path / "runs")
    run = describe_one(tmp_path / "runs")
    with pytest.raises(WandbError, match=message):
        write_offline_runs([run])
    assert not is_written(run)


def test_where_wandb_hangs_nobody_waits_longer_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_stand_in_for_wandb(monkeypatch, tmp_path / "library", "time.sleep(600)")
    monkeypatch.setattr(wandb_files, "START_LIMIT_S", 1)
    monkeypatch.setattr(wandb_files, "RUN_LIMIT_S", 0)
    leave_run(tmp_path / "runs")
    # The stand-in sleeps longer than a test may take.
    with pytest.raises(WandbError, match="not written within 1 s"):
        write_offline_runs([describe_one(tmp_path / "runs")])


@pytest.mark.slow
def test_sending_replaces_what_the_server_has_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    with wandb_server() as server:
        for epochs, is_finished in ((1, False), (3, True)):
            leave_run(tmp_path, epochs=epochs, is_finished=is_finished)
            run = describe_one(tmp_path)
            write_offline_runs([run])
            log = find_unsent_log(run)
            assert log is not None
            assert send_logs([log], server.url) == []
            assert find_unsent_log(run) is None
            points = [line for line in server.history[run.run_id] if "loss" in line]
            assert [point["epoch"] for point in points] == list(range(1, epochs + 1))
    assert list(server.runs) == [run.run_id]
    assert server.runs[run.run_id]["displayName"] == run.name
    assert any(name.startswith("media/table/result") for name in server.files)
