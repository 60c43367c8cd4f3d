"""The index of records: what it saves, and that a record is told exactly as it would be without one."""

from __future__ import annotations

import cProfile
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.results import record_index, store
from senet_repro.results.epochs import hash_epochs
from senet_repro.results.record import Record, write_record
from senet_repro.results.record_index import INDEX_FILE, VERSION
from senet_repro.results.store import load_results
from tests.records import make_record

EPOCHS = b'{"epoch": 0, "top1_err_pct": 3.0}\n'


@pytest.fixture(autouse=True)
def _every_record_is_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Index a folder of a few records, and those that were written just now."""
    monkeypatch.setattr(record_index, "LEAST_RECORDS", 1)
    monkeypatch.setattr(record_index, "is_settled", lambda changed_ns: True)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs with two seeds each, and the index that reading them left."""
    folder = tmp_path / "runs"
    for overrides in ([], ["r=4"]):
        for seed in (0, 1):
            _put(folder, make_record(overrides, seed=seed, top1=3.0 + seed))
    load_results(folder)
    return folder


def _put(results_dir: Path, record: Record) -> Path:
    path = results_dir / f"{record.name}-{record.run_key[:8]}" / f"seed{record.seed}"
    path.mkdir(parents=True)
    write_record(path, record)
    return path


def _first(results_dir: Path) -> Path:
    """The folder of the first record."""
    return sorted(results_dir.glob("*/seed0"))[0]


def _spell(results_dir: Path) -> str:
    """Everything that is known of a results folder; 1, 1.0 and true are three things."""
    found = load_results(results_dir)
    records = [repr(asdict(record)) for record in found.records]
    return "\n".join([*records, *found.unreadable, repr(found.folders), repr(found.failures)])


def _spell_without_index(results_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(record_index, "INDEX_FILE", Path("nowhere", "records.json"))
        patch.setattr(record_index, "LEAST_RECORDS", 1000)
        return _spell(results_dir)


def _read_no_file(_path: Path) -> Any:
    raise AssertionError("a record's file was read")


def test_records_come_from_the_index_as_they_were_read(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = _spell_without_index(runs, monkeypatch)
    written = (runs / INDEX_FILE).stat().st_mtime_ns
    monkeypatch.setattr(store, "read_fields", _read_no_file)
    assert _spell(runs) == expected
    assert (runs / INDEX_FILE).stat().st_mtime_ns == written
    found = load_results(runs).records
    # What the seeds of a run have in common is in memory once.
    assert found[0].hardware is found[1].hardware
    assert found[0].config["data"] is found[1].config["data"]


def test_a_record_of_the_index_takes_few_calls_of_functions(tmp_path: Path) -> None:
    record = make_record([], seed=0, top1=3.0)
    calls = []
    for seeds in range(10, 31, 10):
        for seed in range(seeds - 10, seeds):
            _put(tmp_path, replace(record, seed=seed))
        load_results(tmp_path)
        profile = cProfile.Profile()
        profile.runcall(load_results, tmp_path)
        calls.append(sum(entry.callcount for entry in profile.getstats()))
    # About 50 in Python 3.11; reading the file would take 700.
    assert calls[2] - calls[1] <= calls[1] - calls[0] + 10 < 10 * 80


def test_values_that_python_calls_equal_stay_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record([], seed=0, top1=3.0)
    for seed, one in enumerate((1, 1.0, True)):
        config = {**record.config, "seed": seed, "note": {"one": one}}
        _put(tmp_path, replace(record, seed=seed, config=config, trainer={"threads": one}))
    expected = _spell_without_index(tmp_path, monkeypatch)
    assert "{'threads': 1.0}" in expected
    assert [_spell(tmp_path), _spell(tmp_path)] == [expected, expected]


def _edit_in_place(runs: Path) -> None:
    """Write another error of as many digits, and put the time of the change back."""
    file = _first(runs) / "record.json"
    before = file.stat()
    text = file.read_text().replace('"top1_err_pct": 3.0', '"top1_err_pct": 9.0')
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def _contradict_epochs(runs: Path) -> None:
    (_first(runs) / "metrics.jsonl").write_bytes(EPOCHS.replace(b"3.0", b"8.0"))


def _make_pipe(runs: Path) -> None:
    file = _first(runs) / "record.json"
    file.unlink()
    os.mkfifo(file)


def _rename_run(runs: Path) -> None:
    run = _first(runs).parent
    run.rename(run.with_name(f"{run.name[:-8]}{'0' * 8}"))


def _add_seed(runs: Path) -> None:
    _put(runs, make_record([], seed=7, top1=3.0))


def _copy_seed(runs: Path) -> None:
    seed = _first(runs)
    copy = seed.with_name("seed5")
    copy.mkdir()
    (copy / "record.json").write_bytes((seed / "record.json").read_bytes())


@pytest.mark.parametrize(
    "change",
    [
        _edit_in_place,
        _contradict_epochs,
        _make_pipe,
        _rename_run,
        _add_seed,
        _copy_seed,
        lambda runs: (_first(runs) / "record.json").unlink(),
        lambda runs: (_first(runs) / "record.json").write_text("{"),
    ],
    ids=["edited", "epochs", "pipe", "renamed", "added", "copied", "removed", "damaged"],
)
def test_whatever_was_changed_is_told_as_without_an_index(
    change: Callable[[Path], None], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _spell(runs)
    change(runs)
    expected = _spell_without_index(runs, monkeypatch)
    assert expected != before
    # The index that was, and the one that was written over it.
    assert [_spell(runs), _spell(runs)] == [expected, expected]


def test_epochs_that_are_changed_after_they_were_believed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record([], seed=0, top1=3.0)
    folder = _put(tmp_path, replace(record, metrics_sha256=hash_epochs(EPOCHS)))
    (folder / "metrics.jsonl").write_bytes(EPOCHS)
    assert len(load_results(tmp_path).records) == 1
    (folder / "metrics.jsonl").write_bytes(EPOCHS + b"\n")
    expected = _spell_without_index(tmp_path, monkeypatch)
    assert "is not the one that it was made from" in expected
    assert _spell(tmp_path) == expected


def _restate(**stated: object) -> Callable[[bytes], bytes]:
    """Change what the first line of an index says."""

    def change(content: bytes) -> bytes:
        head, _, body = content.partition(b"\n")
        return json.dumps({**json.loads(head), **stated}).encode() + b"\n" + body

    return change


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b'"top1_err_pct":3.0', b'"top1_err_pct":9.0'),
        lambda content: b"[" * 5000,
        lambda content: b"[]\n[]",
        lambda content: b'{"version": "1"}\n{}',
        lambda content: b"\xff\n\xff",
        lambda content: b"",
        _restate(code="0" * 64),
        _restate(version=0),
    ],
    ids=["cut", "edited", "deep", "list", "word", "bytes", "empty", "code", "older"],
)
def test_an_index_that_cannot_be_believed_is_written_anew_in_silence(
    damage: Callable[[bytes], bytes],
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = runs / INDEX_FILE
    whole = file.read_bytes()
    expected = _spell_without_index(runs, monkeypatch)
    damaged = damage(whole)
    assert damaged != whole
    file.write_bytes(damaged)
    assert _spell(runs) == expected
    assert file.read_bytes() == whole
    assert capsys.readouterr() == ("", "")


def test_an_index_of_a_newer_version_is_neither_read_nor_written_over(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = runs / INDEX_FILE
    file.write_bytes(_restate(version=VERSION + 1)(file.read_bytes()))
    newer = file.read_bytes()
    assert _spell(runs) == _spell_without_index(runs, monkeypatch)
    assert file.read_bytes() == newer


@pytest.mark.parametrize("obstacle", ["file", "folder"])
def test_where_no_index_can_be_written_the_records_are_read(obstacle: str, tmp_path: Path) -> None:
    _put(tmp_path, make_record([], seed=0, top1=3.0))
    if obstacle == "file":
        (tmp_path / INDEX_FILE.parent).write_text("mine")
    else:
        (tmp_path / INDEX_FILE).mkdir(parents=True)
    assert len(load_results(tmp_path).records) == 1


def test_a_record_of_this_moment_and_a_small_folder_have_no_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(tmp_path, make_record([], seed=0, top1=3.0))
    with monkeypatch.context() as patch:
        # It may be written to once more within the same tick of the disk's clock.
        patch.setattr(record_index, "is_settled", lambda changed_ns: False)
        load_results(tmp_path)
        assert not (tmp_path / INDEX_FILE).exists()
    monkeypatch.setattr(record_index, "LEAST_RECORDS", 2)
    load_results(tmp_path)
    assert not (tmp_path / INDEX_FILE).exists()


def test_a_record_that_this_user_may_not_read_is_in_no_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _put(tmp_path, make_record([], seed=0, top1=3.0))
    (folder / "record.json").chmod(0o600)
    assert record_index.find_state(folder) is not None
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert record_index.find_state(folder) is None
