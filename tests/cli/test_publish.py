"""Publishing by the verb and as runs end: what is told, in what order, and that no run pays for what W&B does."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from senet_repro.cli import publish as verb
from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.paper_tables import find_table, names_networks, paper_tables
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError
from senet_repro.execution.execute import execute
from senet_repro.report.publish import FOLDER, Content, Published
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.notes import flat_rows
from senet_repro.results.epochs import read_epochs
from senet_repro.results.record import write_record
from senet_repro.results.store import load_results
from tests.conftest import ROOT
from tests.execution.test_execute import KILLED
from tests.records import make_record
from tests.wandb_log import told

# Every table that varies SE on one network has the row of the paper's default block.
ABLATIONS = [table for table in paper_tables().values() if not names_networks(table)]
TABLE_10, TABLE_11 = (
    "Table 10: Reduction ratio (digits, a proxy)",
    "Table 11: Squeeze operator (digits, a proxy)",
)


def _put(results: Path, *overrides: str, seed: int = 0) -> None:
    record = make_record(overrides, seed=seed, top1=3.0)
    folder = results / record.name / f"seed{seed}"
    folder.mkdir(parents=True)
    write_record(folder, record)


def _run(results: Path, *overrides: str, logger: str = "wandb") -> Run:
    return compose([*overrides, f"logger={logger}", f"results_dir={results}"])


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tables that were published; W&B is not there."""
    names: list[str] = []

    def publish(_table: object, shown: Content, *, results_dir: Path, **_: object) -> Published:
        names.append(shown.name)
        return Published(shown.name, None, results_dir / "offline run")

    monkeypatch.setattr(verb, "publish", publish)
    return names


def _refuse(error: Exception) -> Callable[..., Published]:
    def publish(*_: object, **__: object) -> Published:
        raise error

    return publish


def test_the_verb_publishes_every_table_and_says_how_to_sync_them(
    tmp_path: Path, published: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path, "r=16")
    assert verb.main(["--results", str(tmp_path)]) == 0
    assert published[:2] == [TABLE_10, TABLE_11]
    assert len(published) == len(ABLATIONS)
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{TABLE_10}: {tmp_path}/offline run"
    assert shlex.split(out[-1].partition("wandb sync ")[2]) == [f"{tmp_path}/offline run"] * len(
        ABLATIONS
    )
    assert verb.main(["--results", str(tmp_path), "--table", "11"]) == 0
    assert published[len(ABLATIONS) :] == [TABLE_11]


def test_a_table_that_cannot_be_published_is_exit_code_1_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verb, "publish", _refuse(ConnectionError("no route\nto host")))
    _put(tmp_path, "r=2")
    assert verb.main(["--results", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"W&B: {TABLE_10}: no route\n"
    assert verb.main(["--results", str(tmp_path / "nowhere")]) == 1
    assert "no records in" in capsys.readouterr().err


@pytest.mark.usefixtures("published")
def test_with_a_key_offline_files_are_a_failure_and_wandb_switched_off_a_command_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(tmp_path, "r=2")
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert verb.main(["--results", str(tmp_path)]) == 1
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with pytest.raises(ConfigError, match="WANDB_MODE=disabled"):
        verb.main(["--results", str(tmp_path)])


def test_as_runs_end_their_own_table_follows_and_the_others_they_stand_in_once(
    tmp_path: Path, published: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path, "protocol=cifar10", "squeeze=max", "recipe.epochs=7")  # of no run below
    publisher = verb.Publisher()
    for r in (2, 16):
        _put(tmp_path, f"r={r}")
        run = _run(tmp_path, "+ablation=reduction_ratio", f"r={r}")
        publisher.after(run, make_record([f"r={r}"], seed=0, top1=3.0))
        publisher.after(run, make_record([f"r={r}"], seed=0, top1=3.0))  # nothing new
    assert published == [TABLE_10] * 2
    publisher.close()
    assert published[2] == TABLE_11
    assert len(published) == 2 + len(ABLATIONS) - 1
    assert capsys.readouterr().err == (
        f"W&B: the tables are offline; wandb sync {tmp_path}/{FOLDER}/*/wandb/offline-run-*\n"
    )


@pytest.mark.parametrize(("logger", "mode"), [("none", None), ("csv", None), ("wandb", "disabled")])
def test_no_table_is_published_unasked(
    logger: str,
    mode: str | None,
    tmp_path: Path,
    published: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if mode:
        monkeypatch.setenv("WANDB_MODE", mode)
    _put(tmp_path, "r=2")
    publisher = verb.Publisher()
    publisher.after(
        _run(tmp_path, "+ablation=reduction_ratio", logger=logger),
        make_record(["r=2"], seed=0, top1=3.0),
    )
    publisher.close()
    assert published == []


@pytest.mark.parametrize(
    "error", [TimeoutError("no answer within 30 s"), ConnectionError("no route\nto host")]
)
def test_the_first_failure_is_a_line_and_the_last_attempt(
    error: Exception,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(verb, "publish", _refuse(error))
    publisher = verb.Publisher()
    for r in (2, 16):
        _put(tmp_path, f"r={r}")
        run = _run(tmp_path, "+ablation=reduction_ratio", f"r={r}")
        publisher.after(run, make_record([f"r={r}"], seed=0, top1=3.0))
    publisher.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"W&B: {str(error).splitlines()[0]}; ")
    assert line.endswith(f"python -m senet_repro publish --results {tmp_path}")


@pytest.mark.slow
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

    def rows(results: Path) -> list[dict[str, Any]]:
        (table,) = build_tables(load_results(results), [find_table("reduction_ratio")])
        return flat_rows(table)

    logged = [*small, "logger=wandb", f"results_dir={mirrored}"]
    run = compose(logged)
    assert python("-c", KILLED, "1", "before its checkpoint", *logged).returncode == -9
    del environment["MPLCONFIGDIR"]
    assert [epoch["epoch"] for epoch in read_epochs(run_dir(run))] == [
        1,
        2,
    ]  # W&B's file may well be empty
    resumed = python("-m", "senet_repro", *logged)
    assert resumed.returncode == 0, resumed.stderr
    execute(compose([*small, f"results_dir={plain}"]), print)
    assert rows(mirrored) == rows(plain)
    (log,) = mirrored.glob(f"{FOLDER}/reduction_ratio-*/wandb/offline-run-*/run-*.wandb")
    assert told(log)["display_name"] == TABLE_10
    (written,) = log.parent.glob("files/media/table/errors_*.table.json")
    data = json.loads(written.read_text())
    lines = [dict(zip(data["columns"], line, strict=True)) for line in data["data"]]
    assert [line["top1_err_pct"] for line in lines] == [row["top1_err_pct"] for row in rows(plain)]
    assert list(home.iterdir()) == []
    last = resumed.stderr.splitlines()[-1]
    assert last.endswith(f"wandb sync {mirrored}/{FOLDER}/*/wandb/offline-run-*")
