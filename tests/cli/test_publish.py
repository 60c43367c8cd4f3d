"""Copies for W&B by the verb and at a command's end: what is written, sent and printed; no run pays for W&B."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.cli.wandb_copies import copy_results
from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.paper_tables import find_table
from senet_repro.core.errors import ConfigError
from senet_repro.execution.execute import train_to_record
from senet_repro.report.page.wandb_table import TABLES_FOLDER
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.plain import flatten_rows
from senet_repro.results.epochs import read_epochs
from senet_repro.results.store import load_results
from tests.conftest import ROOT
from tests.execution.test_execute import KILLED
from tests.mirrors.test_wandb_files import put_stand_in_for_wandb
from tests.mirrors.wandb_runs import leave_run
from tests.wandb_log import read_log
from tests.wandb_server import wandb_server

TABLE_10 = "Table 10: Reduction ratio (digits, a proxy)"
TABLE_11 = "Table 11: Squeeze operator (digits, a proxy)"


def settle_wandb(folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Go to a folder whose settings file of W&B holds a setting."""
    file = folder / "wandb" / "settings"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"[default]\n{setting}\n")
    monkeypatch.chdir(folder)
    # W&B's processes are started from there.
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")


@pytest.mark.slow
def test_without_a_key_the_verb_writes_runs_and_tables_and_prints_how_to_send_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_run(tmp_path, "r=16")
    leave_run(tmp_path, "r=16", seed=1, logger="none")
    with wandb_server() as server:
        # Whatever is sent, to W&B's makers too, would come by here.
        for variable in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(variable, server.url)
        assert call_verb("publish", ["--results", str(tmp_path)]) == 0
        assert server.requests == []
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{TABLE_10}: {tmp_path}/{TABLES_FOLDER}/reduction_ratio-")
    assert lines[1].startswith(TABLE_11)
    assert lines[8] == "1 run of logger=wandb"
    assert lines[9].startswith("9 not sent to W&B: there is no key for https://")
    assert lines[10:] == [
        f"with WANDB_API_KEY, or after `wandb login`: python -m senet_repro publish --results {tmp_path}",
    ]
    assert len([*tmp_path.rglob("run-*.wandb")]) == 9


@pytest.mark.slow
def test_with_a_key_everything_new_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    leave_run(tmp_path, "r=16")
    verb = ["--results", str(tmp_path), "--table", "10", "--project", "mine"]
    with wandb_server() as server:
        # The file of a folder in which `wandb login --host` was called.
        settle_wandb(tmp_path, monkeypatch, f"base_url = {server.url}")
        assert call_verb("publish", verb) == 0
        assert capsys.readouterr().out.endswith("2 of 2 sent to W&B\n")
        assert {run["project"] for run in server.runs.values()} == {"mine"}
        assert {run["groupName"] for run in server.runs.values()} == {"reduction_ratio", "demo"}
        assert call_verb("publish", verb) == 0
        assert capsys.readouterr().out.endswith("all of it was sent to W&B before\n")
        leave_run(tmp_path, "r=16", seed=1, logger="none")
        assert call_verb("publish", verb) == 0
        assert capsys.readouterr().out.endswith("1 of 1 sent to W&B\n")


@pytest.mark.slow
@pytest.mark.faults
def test_a_server_out_of_reach_is_exit_code_1_and_the_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    leave_run(tmp_path, "r=16")
    verb = ["--results", str(tmp_path), "--table", "10"]
    assert call_verb("publish", verb) == 1
    assert capsys.readouterr().out.endswith("0 of 2 sent to W&B\n")
    settle_wandb(tmp_path, monkeypatch, "mode = offline")
    assert call_verb("publish", verb) == 0
    assert "2 not sent to W&B: `wandb offline` was called here" in capsys.readouterr().out


def test_what_cannot_be_published_is_exit_code_1_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert call_verb("publish", ["--results", str(tmp_path / "empty")]) == 1
    assert "no records in" in capsys.readouterr().err
    put_stand_in_for_wandb(monkeypatch, tmp_path / "library", "raise OSError('disk is full')")
    leave_run(tmp_path / "runs")
    assert call_verb("publish", ["--results", str(tmp_path / "runs"), "--table", "10"]) == 1
    assert capsys.readouterr().err == "W&B: OSError: disk is full\n"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with pytest.raises(ConfigError, match="WANDB_MODE=disabled"):
        call_verb("publish", ["--results", str(tmp_path / "runs")])


@pytest.mark.slow
def test_at_a_commands_end_its_runs_and_their_tables_are_written_and_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    # Of no run of logger=wandb: its table is not asked for.
    leave_run(tmp_path, "protocol=cifar10", "squeeze=max", logger="none")
    run = leave_run(tmp_path, "+ablation=reduction_ratio", "r=2", "logger.project=mine")
    with wandb_server() as server:
        for variable in ("WANDB_BASE_URL", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, server.url)
        copy_results([run])
        assert server.requests == []
    command = f"python -m senet_repro publish --results {tmp_path}"
    assert capsys.readouterr().err == f"W&B: to send 2 runs and tables: {command}\n"
    (log,) = tmp_path.glob(f"{TABLES_FOLDER}/*/wandb/offline-run-*/run-*.wandb")
    content = read_log(log)
    assert (content["display_name"], content["project"]) == (TABLE_10, "mine")
    assert [*run_dir(run).glob("wandb/offline-run-*/run-*.wandb")]


@pytest.mark.parametrize(("logger", "mode"), [("none", None), ("csv", None), ("wandb", "disabled")])
def test_nothing_is_written_unasked(
    logger: str, mode: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode:
        monkeypatch.setenv("WANDB_MODE", mode)
    run = leave_run(tmp_path, "+ablation=reduction_ratio", "r=2", logger=logger)
    copy_results([run])
    assert [*tmp_path.rglob("*wandb*")] == []


def test_at_a_commands_end_a_failure_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_stand_in_for_wandb(monkeypatch, tmp_path / "library", "raise OSError('disk is full')")
    run = leave_run(tmp_path / "runs", "r=2")
    copy_results([run])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("W&B: OSError: disk is full; the records are complete without it; ")
    assert line.endswith(f"python -m senet_repro publish --results {tmp_path}/runs")


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.usefixtures("one_thread")
def test_a_killed_and_resumed_run_gives_the_table_of_a_run_without_wandb_and_leaves_the_home_alone(
    tmp_path: Path,
) -> None:
    small = [
        "+ablation=reduction_ratio",
        "recipe.epochs=3",
        "recipe.batch_size=256",
        "trainer.accelerator=cpu",
    ]
    home, plain, mirrored = (tmp_path / name for name in ("home", "plain", "mirrored"))
    home.mkdir()

    # The killed script does not come by main, which gives matplotlib a folder.
    environment = {
        **os.environ,
        "HOME": str(home),
        "MPLCONFIGDIR": str(tmp_path / "fonts"),
        "OMP_NUM_THREADS": "1",
    }

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment
        )

    def build_rows(results: Path) -> list[dict[str, Any]]:
        (table,) = build_tables(load_results(results), [find_table("reduction_ratio")])
        return flatten_rows(table)

    logged = [*small, "trainer.checkpoint_s=0", "logger=wandb", f"results_dir={mirrored}"]
    run = compose(logged)
    assert python("-c", KILLED, "1", "before its checkpoint", *logged).returncode == -9
    del environment["MPLCONFIGDIR"]
    assert [epoch["epoch"] for epoch in read_epochs(run_dir(run))] == [1, 2]
    resumed = python("-m", "senet_repro", *logged)
    assert resumed.returncode == 0, resumed.stderr
    train_to_record(compose([*small, f"results_dir={plain}"]), print)
    assert build_rows(mirrored) == build_rows(plain)
    (log,) = run_dir(run).glob("wandb/offline-run-*/run-*.wandb")
    assert read_log(log)["history"]["epoch"] == 3
    (log,) = mirrored.glob(f"{TABLES_FOLDER}/reduction_ratio-*/wandb/offline-run-*/run-*.wandb")
    assert read_log(log)["display_name"] == TABLE_10
    (written,) = log.parent.glob("files/media/table/errors_*.table.json")
    data = json.loads(written.read_text())
    lines = [dict(zip(data["columns"], line, strict=True)) for line in data["data"]]
    errors = [row["top1_err_pct"] for row in build_rows(plain)]
    assert [line["top1_err_pct"] for line in lines] == errors
    assert list(home.iterdir()) == []
    last = resumed.stderr.splitlines()[-1]
    assert last.endswith(f"python -m senet_repro publish --results {mirrored}")
