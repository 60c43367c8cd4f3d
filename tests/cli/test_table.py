"""The verb `table`: its formats, its folder, what it says of bad records, and its speed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.config.identity import CODE_VERSION, hash_identity, join_identity, protocol_key
from senet_repro.config.paper_tables import NOT_OFFERED, names_networks, paper_tables
from senet_repro.core.errors import ConfigError
from senet_repro.results.record import Record, write_record
from tests.counted_calls import count_calls
from tests.records import make_record


def _put(folder: Path, overrides: list[str], seed: int = 0) -> Path:
    record = make_record(overrides, seed=seed, top1=3.0)
    path = folder / f"{record.name}-{record.run_key[:8]}" / f"seed{seed}"
    path.mkdir(parents=True)
    write_record(path, record)
    return path / "record.json"


def _with_new_keys(data: dict[str, Any]) -> dict[str, Any]:
    """A record's data with the keys of its protocol, which was changed."""
    protocol = data["protocol"]
    identity = join_identity(data["axes"], protocol)
    keys = {
        "run_key": hash_identity(identity),
        "protocol_key": protocol_key(protocol, data["eval_images"]),
    }
    return {**data, **keys}


def test_only_markdown_has_remarks_among_the_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path, ["r=3"])
    _put(tmp_path, [])
    for form, beside in (("markdown", "out"), ("csv", "err"), ("json", "err"), ("latex", "err")):
        assert call_verb("table", ["--results", str(tmp_path), "--format", form]) == 0
        assert "no table has a row for digits-resnet11-r3" in getattr(capsys.readouterr(), beside)


def test_one_table_of_an_empty_folder_says_how_to_make_its_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form, printed in (("markdown", None), ("csv", ""), ("json", "[]"), ("latex", "%")):
        assert (
            call_verb("table", ["--results", str(tmp_path), "--table", "4", "--format", form]) == 0
        )
        out, err = capsys.readouterr()
        assert "-m +experiment=cifar10 makes them" in (err if printed is not None else out)
        assert printed is None or out.startswith(printed)


@pytest.mark.parametrize("flags", [["--table", "10", "--table", "11"], ["--table", "10,11"]])
def test_several_tables_are_several(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path, [])
    assert call_verb("table", ["--results", str(tmp_path), *flags, "--table", "4"]) == 0
    out = capsys.readouterr().out
    assert [line[:12] for line in out.splitlines() if line.startswith("###")] == [
        "### Table 10",
        "### Table 11",
    ]
    assert "for Table 4; python -m senet_repro -m +experiment=cifar10 makes them" in out


def test_a_table_of_the_paper_that_is_none_here_says_why() -> None:
    for number, reason in NOT_OFFERED.items():
        with pytest.raises(ConfigError, match=f"no table '{number}'") as refused:
            call_verb("table", ["--table", number])
        assert str(refused.value).endswith(f"the paper's Table {number} {reason}")


def test_corrupt_and_future_records_are_named_in_the_folder_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, output = tmp_path / "runs", tmp_path / "tables"
    _put(results, [])
    cut, future = _put(results, ["r=2"]), _put(results, ["r=4"])
    cut.write_text(cut.read_text()[:100])
    future.write_text(json.dumps({**json.loads(future.read_text()), "schema_version": 99}))
    assert (
        call_verb("table", ["--results", str(results), "--table", "10", "--output", str(output)])
        == 0
    )
    out = capsys.readouterr().out
    for text in (out, (output / "index.md").read_text()):
        assert f"skipped {cut}: not a readable record" in text
        assert f"skipped {future}: schema version 99 is newer" in text
    assert out.startswith(f"1 table: {output}/index.md\n")


@pytest.mark.parametrize(
    "damage", [{"params": None}, {"config": {}}, {"metrics": {"top1_err_pct": "3"}}, {"seed": "0"}]
)
def test_a_record_of_another_form_is_skipped(
    damage: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path, ["r=2"])
    bad = _put(tmp_path, ["r=4"])
    bad.write_text(json.dumps({**json.loads(bad.read_text()), **damage}))
    assert call_verb("table", ["--results", str(tmp_path), "--table", "10"]) == 0
    assert f"skipped {bad}: not a record as senet_repro writes it" in capsys.readouterr().out


def test_no_record_with_a_figure_that_is_none_makes_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = _put(tmp_path, [])
    data = json.loads(bad.read_text())
    data["metrics"]["top1_err_pct"] = float("nan")
    bad.write_text(json.dumps(data))
    assert call_verb("table", ["--results", str(tmp_path)]) == 0
    assert "not a record as" in capsys.readouterr().out


def test_code_versions_join_by_a_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _put(tmp_path, [])
    old = _put(tmp_path, ["squeeze=max"])
    data = json.loads(old.read_text())
    data["protocol"]["code_version"] = CODE_VERSION - 1
    data = _with_new_keys(data)
    old.write_text(json.dumps(data))
    # As the older version named it.
    run = old.parents[1]
    run.rename(run.with_name(f"{data['name']}-{data['run_key'][:8]}"))
    counts = {}
    for flags in ((), ("--allow-mixed",)):
        call_verb("table", ["--results", str(tmp_path), "--table", "11", *flags])
        out = capsys.readouterr().out
        assert "--allow-mixed" in out
        counts[flags] = out.count("### Table 11")
    assert counts == {(): 2, ("--allow-mixed",): 1}


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/tables"])
def test_a_folder_that_cannot_be_written_is_refused_with_the_mend(
    place: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    _put(tmp_path / "runs", [])
    output = tmp_path / place
    with pytest.raises(ConfigError, match=f"--output {output}: .*; give a folder"):
        call_verb("table", ["--results", str(tmp_path / "runs"), "--output", str(output)])
    assert (tmp_path / "file").read_text() == "mine"


def _make_ablations() -> list[Record]:
    """A record of each of the ablations' 18 trainings."""
    records: dict[str, Record] = {}
    for paper in paper_tables().values():
        for row in paper.rows.values() if not names_networks(paper) else ():
            axes = [
                f"{axis}={str(value).replace(' ', '')}" for axis, value in (row.axes or {}).items()
            ]
            record = make_record(axes, seed=0, top1=3.0)
            records[record.run_key] = record
    return list(records.values())


def _write_seeds(folder: Path, records: list[Record], seeds: int) -> int:
    """Write every record for so many seeds; return how many that are."""
    for record in records:
        for seed in range(seeds):
            metrics = {"top1_err_pct": 3 + seed % 7 / 10, "top5_err_pct": seed / 100}
            place = folder / f"{record.name}-{record.run_key[:8]}" / f"seed{seed}"
            place.mkdir(parents=True)
            write_record(place, replace(record, seed=seed, metrics=metrics))
    return len(records) * seeds


@pytest.mark.slow
def test_a_record_more_takes_few_calls_of_functions_however_many_there_are_and_no_torch(
    tmp_path: Path,
) -> None:
    code = (
        "import sys\nfrom senet_repro.cli.verbs import call_verb\n"
        "assert call_verb('table', sys.argv[1:]) == 0\nassert 'torch' not in sys.modules"
    )
    ablations = _make_ablations()
    records, calls = [], []
    for seeds in (2, 4, 7):
        folder = tmp_path / str(seeds)
        records.append(_write_seeds(folder, ablations, seeds))
        made, tables = count_calls(tmp_path, code, "--results", str(folder))
        assert tables.count("### ") == 8
        calls.append(made)
    first = (calls[1] - calls[0]) / (records[1] - records[0])
    later = (calls[2] - calls[1]) / (records[2] - records[1])
    # About 860 in Python 3.11, and a seventh more in 3.13. Reading and checking take most of them, and what else
    # differs between the runs that are compared the rest.
    # Paths are compared by calls too, as many as the order in which a folder lists them asks for: hence 2 %.
    assert later < 1.02 * first
    assert first < 1000
