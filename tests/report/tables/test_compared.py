"""Rows of two sides are matched by key, then by a name that is single on both; nothing is dropped."""

from __future__ import annotations

from dataclasses import replace

from senet_repro.config.paper_tables import find_table
from senet_repro.report.tables.compared import Matching, match_rows, select_tables
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import make_record, row_records


def make_seeds(*overrides: str, seeds: int = 1) -> list[Record]:
    return [make_record(overrides, seed=seed, top1=3.0) for seed in range(seeds)]


def list_rows(matching: Matching) -> dict[str, tuple[list[int], int, int]]:
    """Return the seeds in common and the number of runs on each side, by the name of a row."""
    return {
        row.name: (row.seeds, len(row.first.records), len(row.second.records))
        for row in matching.rows
    }


def test_rows_and_seeds_of_one_side_stay_in_the_list() -> None:
    first = [*make_seeds("r=4", seeds=3), *make_seeds("r=8")]
    second = [*make_seeds("r=4", seeds=2), *make_seeds("r=2")]
    matching = match_rows(first, second)
    assert list_rows(matching) == {
        "digits-resnet11-r4": ([0, 1], 3, 2),
        "digits-resnet11-r8": ([], 1, 0),
        "digits-resnet11-r2": ([], 0, 1),
    }
    row = matching.rows[0]
    assert row.first.list_seeds_beyond(row.second) == [2]
    assert [row.is_common for row in matching.rows] == [True, False, False]


def test_a_name_that_is_single_on_both_sides_matches_other_settings_and_says_which() -> None:
    first = make_seeds("r=4", "recipe.epochs=2")
    (row,) = match_rows(first, make_seeds("r=4", "recipe.epochs=3")).rows
    assert row.seeds == [0]
    assert row.changes == ["epochs 2 in A and epochs 3 in B"]
    (same,) = match_rows(first, first).rows
    assert same.changes == []


def test_a_name_that_several_rows_of_a_side_bear_matches_none_of_them() -> None:
    first = [*make_seeds("r=4", "recipe.epochs=2"), *make_seeds("r=4", "recipe.epochs=3")]
    second = make_seeds("r=4", "recipe.epochs=4")
    rows = match_rows(first, second).rows
    assert [row.is_common for row in rows] == [False, False, False]
    # Their keys tell them apart.
    assert len({row.name for row in rows}) == 3
    assert all(row.name == f"digits-resnet11-r4-{row.example.run_key[:8]}" for row in rows)


def test_what_has_its_key_on_both_sides_is_no_candidate_for_a_name() -> None:
    shared = make_seeds("r=4", "recipe.epochs=2")
    first = [*shared, *make_seeds("r=4", "recipe.epochs=3")]
    second = [*shared, *make_seeds("r=4", "recipe.epochs=4")]
    rows = match_rows(first, second).rows
    assert [len(row.changes) for row in rows] == [0, 1]


def test_detectors_are_one_row_whatever_file_their_trunks_came_from() -> None:
    table = find_table("coco")
    name = next(iter(table.rows))
    records = row_records(table, name, [30.0, 31.0])
    moved = []
    for record in records:
        init = {"source": record.protocol["init"]["source"], "sha256": f"{record.seed}" * 64}
        protocol = {**record.protocol, "init": init}
        moved.append(replace(record, protocol=protocol, run_key=f"{record.seed}" * 64))
    (row,) = match_rows(moved, moved).rows
    assert row.seeds == [0, 1]
    again = replace(moved[0], finished_at="2027-01-01T00:00:00+00:00", run_key="f" * 64)
    matching = match_rows([*moved, again], moved)
    assert matching.left_out == [again]


def test_a_table_selects_its_own_rows() -> None:
    results = Results([*make_seeds("r=4"), *make_seeds("squeeze=max")])
    selected = select_tables(results, [find_table("squeeze")])
    assert [record.name for record in selected.records] == ["digits-resnet11-r16-max"]
