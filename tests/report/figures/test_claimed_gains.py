"""The figure of all claimed gains: which claims it shows, and in which direction."""

from __future__ import annotations

import pytest

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.judge import judge
from senet_repro.report.figures.claimed_gains import draw_claimed_gains, find_gains
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.results.store import Results
from tests.records import row_records

PLAIN = [23.3, 23.4, 23.2]


def build(name: str, **errors: list[float]) -> ResultTable:
    paper = find_table(name)
    records = [
        record
        for row, top1 in errors.items()
        for record in row_records(paper, row.replace("_", " "), top1)
    ]
    (table,) = build_tables(Results(records), [paper])
    return table


def test_a_gain_points_to_the_right_where_the_row_that_is_claimed_better_is() -> None:
    table = build("squeeze", avg=[22.0, 22.1, 22.2], max=[23.0, 23.2, 23.1])
    (mark,) = find_gains(table, judge(table))
    assert " ".join(mark.lines) == "Table 11: averages are the better squeeze"
    assert mark.ours.mean == pytest.approx(1.0)
    # 22.57 less 22.28, as the paper prints them.
    assert mark.published == pytest.approx(0.29)
    assert mark.verdict == "reproduced (provisional)"


def test_claims_that_rows_are_alike_or_cheaper_are_no_gains() -> None:
    table = build("squeeze", avg=[22.0, 22.1], max=[23.0, 23.2])
    judged = judge(table)
    assert len(judged) > len(find_gains(table, judged))


def test_of_a_chain_both_figures_are_of_the_step_that_decides() -> None:
    table = build("excitation", sigmoid=[22.2, 22.3], tanh=[23.0, 23.1], relu=[23.4, 23.6])
    marks = find_gains(table, judge(table))
    chain = next(mark for mark in marks if "tanh than" in " ".join(mark.lines))
    assert chain.ours.mean == pytest.approx(0.45)
    # tanh and ReLU, 23.00 and 23.47 in the paper.
    assert chain.published == pytest.approx(0.47)


def test_one_seed_is_hollow_and_said_to_be_no_evidence() -> None:
    table = build("squeeze", avg=[22.0], max=[23.0])
    drawing = draw_claimed_gains([(table, judge(table))])
    assert drawing is not None
    assert "one seed is no evidence" in drawing.svg
    assert "ours, one seed" in drawing.svg
    assert "95 %" not in drawing.svg


def test_the_scale_holds_every_mark_and_the_verdicts_stand_beside() -> None:
    table = build("squeeze", avg=[22.0, 22.1, 22.2], max=[83.0, 83.2, 83.1])
    drawing = draw_claimed_gains([(table, judge(table))])
    assert drawing is not None
    assert "reproduced (provisional)" in drawing.svg
    assert drawing.png.startswith(b"\x89PNG")


def test_there_is_no_figure_without_a_difference_of_ours() -> None:
    table = build("squeeze", avg=[22.0, 22.1])
    assert draw_claimed_gains([(table, judge(table))]) is None
