"""A further metric of a task stands in every format, verdict and plan without a line of theirs."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.formats import FORMATS
from senet_repro.report.text.latex import format_latex
from senet_repro.report.text.markdown import format_markdown
from senet_repro.results.metrics import Metric
from senet_repro.results.store import Results
from senet_repro.tasks import find_task
from tests.records import make_record

MISSES = Metric(
    key="misses", label="misses_a", unit="n", unit_sign="", difference_unit="images", decimals=1
)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ResultTable:
    task = find_task("classification")
    monkeypatch.setattr(type(task), "metrics", (*task.metrics, MISSES))
    records = []
    for squeeze, misses in (("avg", 40.0), ("max", 42.5)):
        for seed in (0, 1):
            record = make_record([f"squeeze={squeeze}"], seed=seed, top1=3.0)
            metrics = {**record.metrics, "misses_n": misses + seed}
            records.append(replace(record, metrics=metrics))
    (found,) = build_tables(Results(records), [find_table("squeeze")])
    return found


def test_markdown_has_columns_of_its_own_with_its_decimals(table: ResultTable) -> None:
    text = format_markdown([table])
    assert "our misses_a (n)" in text
    assert "our Δ misses_a" in text
    assert "paper top-1 err % / top-5 err % / misses_a" in text
    assert "43.0 ± 6.4 (2)" in text
    assert "+2.5 ± 0.0" in text


def test_csv_names_its_columns_after_it(table: ResultTable) -> None:
    rows = {row["row"]: row for row in csv.DictReader(io.StringIO(FORMATS["csv"].text([table])))}
    assert float(rows["max"]["misses_n"]) == 43.0
    assert float(rows["max"]["misses_delta_n"]) == 2.5
    assert rows["max"]["paper_misses_n"] == rows["max"]["paper_misses_delta_n"] == ""


def test_latex_escapes_its_label(table: ResultTable) -> None:
    text = format_latex([table])
    assert r"{misses\_a}" in text
    assert r"$43.0$ & $\pm\,6.4$" in text


def test_notes_call_figures_of_several_kinds_by_no_name_of_one(table: ResultTable) -> None:
    assert "Figures are the last epoch's" in format_markdown([table])
