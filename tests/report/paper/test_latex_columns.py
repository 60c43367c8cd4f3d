"""Columns fit a page: headings are broken first, then words share what the figures leave."""

from __future__ import annotations

from senet_repro.report.paper.document import Table
from senet_repro.report.paper.latex_columns import PAGE_CHARACTERS, count_lines, plan_columns


def test_a_narrow_table_keeps_its_words_and_headings_in_one_line() -> None:
    table = Table("", ("row", "paper top-1 err %"), [("a", "1.00")])
    columns = plan_columns(table)
    assert [column.alignment for column in columns] == ["l", "r"]
    assert columns[1].head_lines == ["paper top-1 err %"]


def test_headings_are_broken_before_words_are() -> None:
    header = ("row", *["a heading of five words"] * 6)
    table = Table("", header, [("a row of some words", *["1.00"] * 6)])
    columns = plan_columns(table)
    assert not any(column.is_wrapped for column in columns)
    assert len(columns[1].head_lines) > 1


def test_long_words_share_the_room_and_short_ones_keep_theirs() -> None:
    sentence = "many words " * 20
    table = Table("", ("a", "b", "c", "n"), [("short", sentence, sentence, "1")], words=3)
    columns = plan_columns(table)
    assert [column.is_wrapped for column in columns] == [False, True, True, False]
    assert abs(columns[1].characters - columns[2].characters) <= 1
    assert sum(column.characters for column in columns) <= PAGE_CHARACTERS
    assert count_lines(table.rows[0], columns) > 4


def test_no_column_is_narrower_than_a_word_that_cannot_break() -> None:
    name = "a" * 30
    table = Table("", ("a", "b"), [(f"{name} {name} {name}", "words " * 60)], words=2)
    assert plan_columns(table)[0].characters >= len(name)


def test_a_table_without_rows_has_its_columns_yet() -> None:
    assert len(plan_columns(Table("", ("a", "b"), []))) == 2
