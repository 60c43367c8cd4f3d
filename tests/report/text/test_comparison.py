"""A comparison in words: what ± comes from, what one side alone has, and how far runs moved."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.moves import ComparedSides, compare_rows
from senet_repro.report.tables.compared import match_rows
from senet_repro.report.text.comparison import (
    SideName,
    format_comparison,
    format_comparison_json,
)
from tests.records import row_records
from tests.report.moved_rows import LATER, Errors, compare, make_records

NAMES = (SideName("runs"), SideName("HEAD:runs", "1" * 40))


def write(compared: ComparedSides) -> str:
    return format_comparison(compared, NAMES)


def test_equal_rows_have_neither_an_interval_nor_a_p() -> None:
    text = write(compare({4: [6.0, 6.2]}, {4: [6.0, 6.2]}))
    assert text.startswith("A: runs; B: HEAD:runs (as committed in 1111111)")
    assert "±" not in text
    assert " p " not in text
    assert "1 row: 1 equal, 0 within noise, 0 different." in text
    assert "moved" not in text.partition("Single runs")[0]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            {4: [6.0, 6.2, 6.1]},
            {4: [6.1, 6.1, 6.1]},
            ["| +0.00 ± 0.25 |", "of the mean difference over seeds.", "no proof of no change"],
        ),
        ({4: [6.0, 6.2, 6.1]}, {4: [26.0, 26.2, 26.1]}, ["| < 0.001 |", "different: more than"]),
        ({4: [6.0]}, {4: [6.5]}, ["one seed cannot tell noise from change", ", 1 moved."]),
        (
            {4: [6.0], 8: [5.0, 5.2], 2: [5.0, 5.2]},
            {4: [6.1], 8: [5.0, 5.2], 2: [5.0, 5.2]},
            ["Where n is 1, ± and p come from 2 rows", "a standard deviation of 0.14 points"],
        ),
        (
            {4: [6.0, 6.1, 6.2], 8: [6.0, 6.1], 2: [6.0]},
            {4: [6.0], 8: [6.0], 32: [5.0]},
            [
                "Seeds 1 and 2 in A only (1 row): digits-resnet11-r4.",
                "Seed 1 in A only (1 row): digits-resnet11-r8.",
                "In A only (1 row): digits-resnet11-r2.",
                "In B only (1 row): digits-resnet11-r32.",
            ],
        ),
    ],
    ids=["within noise", "different", "moved", "a single pair", "one side alone"],
)
def test_what_is_said_of_rows(first: Errors, second: Errors, said: list[str]) -> None:
    text = write(compare(first, second))
    assert all(sentence in text for sentence in said), text


def test_rows_without_a_common_seed_are_listed_in_words_and_as_data() -> None:
    second = [replace(record, seed=9) for record in make_records({4: [6.0]})]
    first = make_records({4: [6.0], 8: [6.0]})
    compared = compare_rows(match_rows(first, [*second, *make_records({8: [6.0]})]))
    assert "Seed 0 in A only, seed 9 in B only, none in common (1 row)" in write(compared)
    data = json.loads(format_comparison_json(compared, NAMES))
    (alone,) = data["rows_without_common_seeds"]
    assert (alone["seeds_in_a_only"], alone["seeds_in_b_only"]) == ([0], [9])


def test_each_task_has_its_own_table_and_columns() -> None:
    table = find_table("coco")
    detectors = row_records(table, next(iter(table.rows)), [30.0, 31.0])
    again = [replace(record, finished_at=LATER) for record in detectors]
    first, second = make_records({4: [6.0]}), make_records({4: [6.5]}, finished_at=LATER)
    text = write(compare_rows(match_rows([*detectors, *first], [*again, *second])))
    assert "### detection: B less A, seed by seed" in text
    assert "### classification: B less A, seed by seed" in text
    assert "A AP %" in text
    assert "predictions differ" not in text
    assert "0.50 in root mean square, over 1 pair of runs." in text


def test_names_of_others_open_no_html_and_end_no_cell() -> None:
    compared = compare({4: [6.0]}, {4: [6.5]})
    text = format_comparison(compared, (SideName("a|<b>"), SideName("b")))
    assert "a\\|&lt;b>" in text
