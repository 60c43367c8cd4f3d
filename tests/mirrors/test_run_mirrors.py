"""Mirrors hold what the run wrote, and a broken one costs no number."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.execution.execute import train_to_record
from senet_repro.mirrors.run_mirrors import result_row
from senet_repro.results.epochs import read_epochs
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("one_thread")


def trained(tmp_path: Path, logger: str) -> tuple[Run, Record]:
    small = [
        "recipe.epochs=2",
        "recipe.batch_size=256",
        "trainer.accelerator=cpu",
        f"results_dir={tmp_path}",
    ]
    run = compose(["+ablation=reduction_ratio", f"logger={logger}", *small])
    return run, train_to_record(run, print)[1]


def test_csv_has_a_line_per_epoch(tmp_path: Path) -> None:
    run, _ = trained(tmp_path, "csv")
    with RunFolder.of(run).epochs_csv_file.open() as file:
        lines = list(csv.DictReader(file))
    epochs = read_epochs(run_dir(run))
    assert [float(line["top1_err_pct"]) for line in lines] == [
        epoch["top1_err_pct"] for epoch in epochs
    ]


@pytest.mark.slow
def test_wandb_without_a_key_writes_metrics_and_the_table_offline_and_only_in_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    run, record = trained(tmp_path / "runs", "wandb")
    (log,) = run_dir(run).glob("wandb/offline-run-*/run-*.wandb")
    assert log.stat().st_size > 100
    (table,) = run_dir(run).glob("wandb/offline-run-*/files/media/table/result_*.table.json")
    content = json.loads(table.read_text())
    assert dict(zip(content["columns"], content["data"][0], strict=True)) == result_row(record)
    text = log.read_bytes()
    assert b"reduction_ratio" in text
    assert run.model.name.encode() in text
    assert list(home.iterdir()) == []


def test_a_broken_mirror_says_so_and_the_run_ends_with_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import wandb

    def refuse(**_: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(wandb, "init", refuse)
    _, record = trained(tmp_path, "wandb")
    assert record.epochs == 2
    assert "W&B: no route to host; the run goes on" in capsys.readouterr().err
