"""Records come back as written; what is foreign, newer or cut short is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from senet_repro.results.record import (
    SCHEMA_VERSION,
    RecordError,
    read_record,
    write_record,
)
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import load_results, write_status
from tests.records import make_record


def test_a_record_comes_back_as_written(tmp_path: Path) -> None:
    record = make_record(["r=8"], seed=1, top1=3.0)
    write_record(tmp_path, record)
    assert read_record(RunFolder(tmp_path).record_file) == record


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a readable record"),
        ('{"schema_version": 1, "run', "not a readable record"),
        ("[]", "not a record of senet_repro"),
        ('{"a": 1}', "not a record of senet_repro"),
        (json.dumps({"schema_version": SCHEMA_VERSION + 1}), "is newer than"),
        (json.dumps({"schema_version": SCHEMA_VERSION}), "it lacks run_key, name, seed"),
    ],
)
def test_a_bad_record_is_named_and_skipped(tmp_path: Path, text: str, message: str) -> None:
    good, bad = tmp_path / "a-1" / "seed0", tmp_path / "b-2" / "seed0"
    for folder in (good, bad):
        folder.mkdir(parents=True)
    write_record(good, make_record([], seed=0, top1=1.0))
    RunFolder(bad).record_file.write_text(text)
    with pytest.raises(RecordError, match=message):
        read_record(RunFolder(bad).record_file)
    results = load_results(tmp_path)
    assert len(results.records) == 1
    assert str(RunFolder(bad).record_file) in results.unreadable[0]


def test_failures_are_found_until_a_record_replaces_them(tmp_path: Path) -> None:
    folder = tmp_path / "a-1" / "seed0"
    folder.mkdir(parents=True)
    record = make_record([], seed=0, top1=1.0)
    write_status(folder, run_key=record.run_key, seed=0, state="failed", reason="diverged")
    assert load_results(tmp_path).failures == {(record.run_key, 0): "diverged"}
    write_record(folder, record)
    assert load_results(tmp_path).failures == {}


def test_no_folder_holds_no_results(tmp_path: Path) -> None:
    assert load_results(tmp_path / "nowhere").records == []
