"""What is said of a run at hand, and durations as a person says them."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from senet_repro.config.identity import run_dir
from senet_repro.execution.execute import train_to_record
from senet_repro.results.store import read_status
from senet_repro.tasks import find_task
from senet_repro.training import progress
from senet_repro.training.progress import Progress
from tests.training.runs import silent, small

EPOCH: dict[str, Any] = {
    "train_loss": 1.0,
    "top1_err_pct": 9.0,
    "train_images": 1280,
    "train_s": 2.0,
    "epoch_s": 2.5,
}


def test_a_status_tells_epoch_share_pace_and_what_is_left(tmp_path: Path) -> None:
    said = Progress(small(tmp_path), find_task("classification"), tmp_path)
    said.report_within_epoch(0, share=0.25, images=320, took_s=4.0)
    first = read_status(tmp_path)
    assert (first["epoch"], first["epoch_share"], first["images_per_s"], first["left_s"]) == (
        0,
        0.25,
        80.0,
        44.0,
    )
    said.report_epoch({"epoch": 1, **EPOCH})
    second = read_status(tmp_path)
    assert (second["epoch"], second["epoch_share"], second["images_per_s"], second["left_s"]) == (
        1,
        0.0,
        640.0,
        5.0,
    )
    said.report_within_epoch(1, share=0.5, images=640, took_s=1.0)
    assert read_status(tmp_path)["left_s"] == pytest.approx(1.5 * 2.5, abs=0.1)  # by the last epoch


def test_a_long_epoch_is_told_of_every_ten_seconds_and_no_more_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_s = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s[0])
    said = Progress(small(tmp_path), find_task("classification"), tmp_path)
    assert not said.is_due
    now_s[0] += 11
    assert said.is_due
    said.report_within_epoch(2, share=0.5, images=1000, took_s=10.0)
    assert not said.is_due
    line = capsys.readouterr().err
    assert line == "digits-resnet11-r16 seed 0  epoch 3/3 at 50%  100 images/s  10 s left\n"


@pytest.mark.usefixtures("one_thread")
def test_a_clock_that_goes_backwards_changes_no_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backwards = count(2_000_000_000, -1000)
    monkeypatch.setattr(time, "time", lambda: float(next(backwards)))
    run = small(tmp_path, "recipe.epochs=2")
    record = train_to_record(run, silent)[1]
    assert 0 < record.wall_s < 60
    assert record.images_per_s > 0
    assert read_status(run_dir(run))["state"] == "done"


def test_an_evaluation_that_overflowed_is_told_in_place_of_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "QUIET_S", 0)
    said = Progress(small(tmp_path), find_task("classification"), tmp_path)
    said.report_epoch({"epoch": 1, **EPOCH, "top1_err_pct": None})
    assert "loss 1.000  its evaluation overflowed  640 images/s" in capsys.readouterr().err
