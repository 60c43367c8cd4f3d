"""Records that tables cannot be made of are listed with their path, and end nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.cli.verbs import call_verb
from senet_repro.config.identity import hash_identity, join_identity, protocol_key
from senet_repro.report.tables.load import load_printable_results
from senet_repro.results.outcomes import OUTCOMES_FILE
from senet_repro.results.record import Record, write_record
from tests.records import add_outcomes, make_record


def _write(folder: Path, record: Record) -> Path:
    run = folder / record.name / f"seed{record.seed}"
    run.mkdir(parents=True)
    write_record(run, record)
    return run / "record.json"


def _give_task(record: Record, task: str) -> Record:
    """Return the record of a run that is the same but for its task."""
    protocol = {**record.protocol, "task": task}
    return replace(
        record,
        task=task,
        protocol=protocol,
        run_key=hash_identity(join_identity(record.axes, protocol)),
        protocol_key=protocol_key(protocol, record.eval_images),
    )


def test_a_record_without_its_tasks_first_metric_is_named_and_the_others_make_their_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, make_record([], seed=0, top1=3.0))
    older = make_record(["squeeze=max"], seed=0, top1=3.0)
    path = _write(tmp_path, replace(older, metrics={"loss": 0.1, "top5_err_pct": 3.0}))
    assert call_verb("table", ["--results", str(tmp_path), "--table", "squeeze"]) == 0
    text = capsys.readouterr().out
    assert f"skipped {path}: it lacks top1_err_pct, by which tables of classification" in text
    assert "3.00 (1)" in text


def test_damaged_outcomes_are_named_and_cost_the_record_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = []
    for squeeze in ("avg", "max"):
        record = make_record([f"squeeze={squeeze}"], seed=0, top1=3.0)
        folder = tmp_path / record.name / "seed0"
        record = add_outcomes(record, folder, [True] * 351 + [False] * 9)
        write_record(folder, record)
        paths.append(folder / OUTCOMES_FILE)
    whole, damaged = paths
    damaged.write_bytes(whole.read_bytes()[:-9])
    assert call_verb("table", ["--results", str(tmp_path), "--table", "squeeze"]) == 0
    text = capsys.readouterr().out
    assert f"skipped {damaged}: no outcomes as senet_repro writes them" in text
    assert text.count("2.50 (1)") == 2
    first, second = load_printable_results(tmp_path).records
    assert (first.outcomes is None, second.outcomes is None) == (False, True)


def test_a_metric_younger_than_a_record_leaves_its_cells_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, make_record([], seed=0, top1=3.0))
    older = make_record(["squeeze=max"], seed=0, top1=4.0)
    _write(tmp_path, replace(older, metrics={"loss": 0.1, "top1_err_pct": 4.0}))
    for verb in ("table", "verdict"):
        assert call_verb(verb, ["--results", str(tmp_path), "--table", "squeeze"]) == 0
    text = capsys.readouterr().out
    (row,) = [line for line in text.splitlines() if line.startswith("| max ")]
    cells = [cell.strip() for cell in row.split("|")]
    assert "4.00 (1)" in cells
    assert "0.50 (1)" not in cells
    assert "skipped" not in text


def test_a_record_of_a_task_that_is_not_known_here_is_named(tmp_path: Path) -> None:
    known, unknown = (make_record([], seed=seed, top1=3.0) for seed in (0, 1))
    _write(tmp_path, known)
    path = _write(tmp_path, _give_task(unknown, "segmentation"))
    results = load_printable_results(tmp_path)
    assert [record.seed for record in results.records] == [0]
    assert list(results.folders) == [(known.run_key, 0)]
    assert results.unreadable[0].startswith(f"{path}: no task 'segmentation'; there are ")


def test_a_record_whose_figures_were_edited_is_told_by_its_outcomes(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "seed0"
    folder.mkdir(parents=True)
    record = add_outcomes(make_record([], seed=0, top1=0.0), folder, [True] * 351 + [False] * 9)
    edited = replace(record, metrics={**record.metrics, "top1_err_pct": 1.0})
    for one, is_believed in ((record, True), (edited, False)):
        write_record(folder, one)
        results = load_printable_results(tmp_path)
        assert bool(results.records) == is_believed
        assert any("is 1, and 2.5 by its outcomes.npz" in text for text in results.unreadable) == (
            not is_believed
        )
