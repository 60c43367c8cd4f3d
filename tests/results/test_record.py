"""Records come back as written; what is foreign, newer or cut short is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.results.epochs import append_epoch, hash_epochs
from senet_repro.results.record import (
    SCHEMA_VERSION,
    Record,
    RecordError,
    read_record,
    write_record,
)
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import load_results, write_status
from tests.conftest import ROOT
from tests.records import make_record


def test_a_record_comes_back_as_written(tmp_path: Path) -> None:
    record = make_record(["r=8"], seed=1, top1=3.0)
    write_record(tmp_path, record)
    assert read_record(RunFolder(tmp_path).record_file) == record


SCHEMA_3 = ("plan", "outcomes", "metrics_sha256")


def test_a_record_knows_where_it_was_read_from_and_is_equal_to_its_copy(tmp_path: Path) -> None:
    record = make_record(["r=8"], seed=1, top1=3.0)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_record(tmp_path / name, record)
    one, other = (read_record(tmp_path / name / "record.json") for name in ("one", "other"))
    assert one == other
    assert (one.folder, other.folder) == (tmp_path / "one", tmp_path / "other")
    assert "folder" not in json.loads((tmp_path / "one" / "record.json").read_text())


def test_a_record_of_schema_2_lacks_plan_outcomes_and_the_hash_of_its_epochs(
    tmp_path: Path,
) -> None:
    record = make_record(["r=8"], seed=1, top1=3.0)
    data = {name: value for name, value in asdict(record).items() if name not in SCHEMA_3}
    del data["folder"]
    path = RunFolder(tmp_path).record_file
    path.write_text(json.dumps({**data, "schema_version": 2}))
    assert read_record(path) == record
    assert (record.plan, record.outcomes, record.metrics_sha256) == (None, None, None)


def test_a_record_of_schema_3_without_its_fields_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path, make_record(["r=8"], seed=1, top1=3.0))
    path = RunFolder(tmp_path).record_file
    data = json.loads(path.read_text())
    del data["metrics_sha256"]
    path.write_text(json.dumps(data))
    with pytest.raises(RecordError, match="it lacks metrics_sha256"):
        read_record(path)


@pytest.mark.parametrize(
    ("change_epochs", "is_refused"),
    [
        (lambda path: None, False),
        # A record that is copied alone has nothing beside it to differ.
        (lambda path: path.unlink(), False),
        (lambda path: path.write_text(path.read_text().replace("0.5", "0.4", 1)), True),
        (lambda path: path.write_text(path.read_text() + path.read_text()), True),
        (lambda path: path.write_text(""), True),
    ],
    ids=["as written", "gone", "an earlier epoch edited", "longer", "empty"],
)
def test_a_record_is_believed_beside_the_epochs_that_it_was_made_from(
    change_epochs: Callable[[Path], None], is_refused: bool, tmp_path: Path
) -> None:
    record = make_record(["r=8"], seed=1, top1=3.0)
    folder = RunFolder(tmp_path)
    append_epoch(tmp_path, {"epoch": 1, "loss": 0.5})
    append_epoch(tmp_path, {"epoch": 2, **record.metrics})
    digest = hash_epochs(folder.epochs_file.read_bytes())
    write_record(tmp_path, replace(record, metrics_sha256=digest))
    change_epochs(folder.epochs_file)
    if not is_refused:
        assert read_record(folder.record_file).metrics_sha256 == digest
        return
    with pytest.raises(RecordError, match=r"damaged, since metrics.jsonl .* put that back, or del"):
        read_record(folder.record_file)


def write_schema_1(folder: Path, record: Record) -> Path:
    """Write a record as the first versions did: axes and protocol in one, and less of everything."""
    data = asdict(record)
    second = ("protocol_key", "task", "axes", "protocol", "overrides", "trainer", "skipped")
    for later in (*second, *SCHEMA_3, "folder"):
        del data[later]
    data |= {"schema_version": 1, "canonical": record.identity}
    path = RunFolder(folder).record_file
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize("overrides", [["r=8"], ["r=none"]])
def test_a_record_of_schema_1_is_read_as_one_of_schema_2(
    overrides: list[str], tmp_path: Path
) -> None:
    record = make_record(overrides, seed=1, top1=3.0)
    upgraded = read_record(write_schema_1(tmp_path, record))
    assert upgraded.overrides is None
    assert upgraded.trainer["precision"] == "32-true"
    assert "tf32" not in upgraded.trainer
    assert upgraded == replace(record, overrides=None, trainer=upgraded.trainer)


def test_an_upgraded_record_comes_back_as_written(tmp_path: Path) -> None:
    upgraded = read_record(write_schema_1(tmp_path, make_record(["r=8"], seed=1, top1=3.0)))
    write_record(tmp_path, upgraded)
    assert read_record(RunFolder(tmp_path).record_file) == upgraded


def test_every_committed_record_is_read() -> None:
    paths = sorted((ROOT / "experiments").rglob("record.json"))
    assert paths
    for path in paths:
        assert read_record(path).task == "classification"


def change(**fields: Any) -> Callable[[Record], Record]:
    return lambda record: replace(record, **fields)


@pytest.mark.parametrize(
    "forge",
    [
        change(run_key="0" * 64),
        change(protocol_key="0" * 64),
        change(eval_images=10_000),
        change(task="detection"),
        change(epochs=99),
        change(axes=None),
        lambda record: replace(record, axes={**(record.axes or {}), "r": 16}),
        lambda record: replace(record, protocol={**record.protocol, "precision": "bf16-mixed"}),
        lambda record: replace(record, protocol={}),
    ],
)
def test_a_record_whose_keys_are_not_those_of_its_identity_is_refused(
    forge: Callable[[Record], Record], tmp_path: Path
) -> None:
    write_record(tmp_path, forge(make_record(["r=8"], seed=1, top1=3.0)))
    with pytest.raises(RecordError, match="not a record as senet_repro writes it"):
        read_record(RunFolder(tmp_path).record_file)


def test_a_forged_record_of_schema_1_is_refused(tmp_path: Path) -> None:
    path = write_schema_1(tmp_path, make_record(["r=8"], seed=1, top1=3.0))
    path.write_text(path.read_text().replace('"r": 8, "squeeze"', '"r": 16, "squeeze"'))
    with pytest.raises(RecordError, match="not a record as senet_repro writes it"):
        read_record(path)


@pytest.mark.parametrize("fields", [{"overrides": 1}, {"metrics": {}}, {"metrics": {"loss": "x"}}])
def test_a_record_with_fields_of_other_types_is_refused(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    write_record(tmp_path, replace(make_record([], seed=1, top1=3.0), **fields))
    with pytest.raises(RecordError, match="not a record as senet_repro writes it"):
        read_record(RunFolder(tmp_path).record_file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a readable record"),
        ('{"schema_version": 1, "run', "not a readable record"),
        ("[]", "not a record of senet_repro"),
        ('{"a": 1}', "not a record of senet_repro"),
        (json.dumps({"schema_version": SCHEMA_VERSION + 1}), "is newer than"),
        (
            json.dumps({"schema_version": SCHEMA_VERSION}),
            "it lacks run_key, protocol_key, name, seed",
        ),
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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("commit", 5),
        ("hardware", "abc"),
        ("versions", []),
        ("images_per_s", "abc"),
        ("wall_s", None),
    ],
)
def test_a_field_of_another_type_is_refused(field: str, value: object, tmp_path: Path) -> None:
    write_record(tmp_path, make_record([], seed=0, top1=1.0))
    path = RunFolder(tmp_path).record_file
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(RecordError, match="not a record as senet_repro writes it"):
        read_record(path)
