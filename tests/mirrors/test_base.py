"""Each logger's mirror holds what the run wrote."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.conf_dir import list_files
from senet_repro.config.identity import run_dir
from senet_repro.execution.execute import train_to_record
from senet_repro.mirrors.base import open_mirror
from senet_repro.mirrors.csv_mirror import CsvMirror
from senet_repro.results.epochs import read_epochs
from senet_repro.results.run_folder import RunFolder


@pytest.mark.usefixtures("one_thread")
def test_csv_has_a_line_per_epoch(tmp_path: Path) -> None:
    small = ["recipe.epochs=2", "recipe.batch_size=256", "trainer.accelerator=cpu"]
    run = compose(["logger=csv", f"results_dir={tmp_path}", *small])
    train_to_record(run, print)
    with RunFolder.of(run).epochs_csv_file.open() as file:
        lines = list(csv.DictReader(file))
    epochs = read_epochs(run_dir(run))
    assert [float(line["top1_err_pct"]) for line in lines] == [
        epoch["top1_err_pct"] for epoch in epochs
    ]


def test_a_mirror_is_chosen_by_the_name_of_the_logger(tmp_path: Path) -> None:
    mirrors = {
        name: type(open_mirror(compose([f"logger={name}"]), tmp_path))
        for name in list_files("logger")
    }
    assert mirrors["csv"] is CsvMirror
    assert set(mirrors) >= {"none", "csv", "wandb"}
