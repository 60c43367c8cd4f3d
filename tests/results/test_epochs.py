"""metrics.jsonl holds each epoch once, whatever happened to the process."""

from __future__ import annotations

from pathlib import Path

from senet_repro.results.epochs import append_epoch, keep_epochs, read_epochs
from senet_repro.results.run_folder import RunFolder


def test_epochs_come_back_in_order(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        append_epoch(tmp_path, {"epoch": epoch})
    assert [line["epoch"] for line in read_epochs(tmp_path)] == [1, 2, 3]


def test_a_line_cut_short_is_no_epoch_and_a_resumed_run_writes_it_anew(tmp_path: Path) -> None:
    append_epoch(tmp_path, {"epoch": 1})
    append_epoch(tmp_path, {"epoch": 2})
    with RunFolder(tmp_path).epochs_file.open("a") as file:
        file.write('{"epoch": 3, "lo')
    assert len(read_epochs(tmp_path)) == 2
    assert keep_epochs(tmp_path, 1) == [{"epoch": 1}]
    append_epoch(tmp_path, {"epoch": 2})
    assert [line["epoch"] for line in read_epochs(tmp_path)] == [1, 2]


def test_a_new_run_has_no_epochs(tmp_path: Path) -> None:
    assert read_epochs(tmp_path) == []
    assert keep_epochs(tmp_path, 0) == []
