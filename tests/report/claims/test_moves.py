"""Rows are equal, within noise, different, or moved by who knows what; without a change they are rarely different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from senet_repro.report.claims.moves import (
    DIFFERENT,
    EQUAL,
    MOVED,
    WITHIN_NOISE,
    ComparedSides,
    compare_rows,
)
from senet_repro.report.tables.compared import match_rows
from senet_repro.stats.estimates import LEVEL
from tests.records import add_outcomes
from tests.report.moved_rows import IMAGES, LATER, Errors, compare, make_blank, make_records
from tests.stats.simulations import tolerate_chance


def list_words(compared: ComparedSides) -> list[str]:
    return [row.word for row in compared.rows]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({4: [6.0, 6.2]}, {4: [6.0, 6.2]}, [EQUAL]),
        ({4: [6.0, 6.2]}, {4: [6.0, 6.2, 9.0]}, [EQUAL]),
        ({4: [6.0]}, {4: [6.0]}, [EQUAL]),
        ({4: [6.0, 6.2, 6.1]}, {4: [6.1, 6.1, 6.1]}, [WITHIN_NOISE]),
        ({4: [6.0, 6.2, 6.1]}, {4: [8.0, 8.21, 8.1]}, [DIFFERENT]),
        # Two seeds of few rows show the largest moves alone.
        ({4: [6.0, 6.2], 8: [6.0, 6.1]}, {4: [6.5, 6.8], 8: [6.0, 6.1]}, [WITHIN_NOISE, EQUAL]),
        ({4: [6.0]}, {4: [9.0]}, [MOVED]),
        # Holm over two rows: p = 0.026 alone, 0.053 together.
        ({4: [6.0, 6.1, 6.2]}, {4: [6.5, 6.8, 7.1]}, [DIFFERENT]),
        (
            {4: [6.0, 6.1, 6.2], 8: [6.0, 6.1, 6.2]},
            {4: [6.5, 6.8, 7.1], 8: [6.1, 6.0, 6.2]},
            [WITHIN_NOISE, WITHIN_NOISE],
        ),
    ],
)
def test_the_word_of_a_row(first: Errors, second: Errors, words: list[str]) -> None:
    assert list_words(compare(first, second)) == words


@pytest.mark.parametrize(
    ("second", "word"), [(6.2, WITHIN_NOISE), (9.0, DIFFERENT)], ids=["little", "much"]
)
def test_a_single_pair_is_set_against_the_seeds_of_other_rows(second: float, word: str) -> None:
    several = {r: [6.0, 6.1, 6.2] for r in (2, 4, 8, 32)}
    compared = compare({16: [6.0], **several}, {16: [second], **several})
    assert list_words(compared) == [word, EQUAL, EQUAL, EQUAL, EQUAL]
    noise = compared.rows[0].noise
    assert noise is not None
    assert (noise.rows, noise.degrees, noise.sd) == (4, 4, pytest.approx(0.1))
    assert compared.rows[1].noise is None


def test_rows_of_another_protocol_are_no_yardstick() -> None:
    others = [
        replace(record, protocol_key="1" * 64, run_key="1" * 64)
        for record in make_records({2: [6.0, 6.1]})
    ]
    first = [*make_records({16: [6.0]}), *others]
    second = [*make_records({16: [6.1]}, finished_at=LATER), *others]
    assert list_words(compare_rows(match_rows(first, second))) == [MOVED, EQUAL]


def test_a_figure_beside_the_first_metric_makes_runs_unequal() -> None:
    first = make_records({4: [6.0, 6.1]})
    second = [
        replace(record, metrics={**record.metrics, "loss": 0.2}, finished_at=LATER)
        for record in first
    ]
    (row,) = compare_rows(match_rows(first, second)).rows
    assert (row.word, row.p_value) == (WITHIN_NOISE, 1.0)
    # A figure that one side is too old to have is no difference.
    older = [replace(record, metrics={"top1_err_pct": 6.0 + record.seed / 10}) for record in first]
    (row,) = compare_rows(match_rows(first, older)).rows
    assert row.word == EQUAL
    assert [move.metric.name for move in row.metric_moves] == ["top1_err_pct"]


def test_moves_are_those_of_runs_that_were_trained_twice() -> None:
    compared = compare({4: [6.0, 6.2]}, {4: [6.3, 5.8]})
    found = compared.summarise_moves("classification")
    assert (found.pairs, found.copies) == (2, 0)
    assert found.largest == pytest.approx(0.4)
    assert found.rms == pytest.approx(((0.09 + 0.16) / 2) ** 0.5)
    # Of A, whose seeds are as many as those of B: 0.2 apart.
    assert found.seeds_apart == pytest.approx(0.2)
    records = make_records({4: [6.0, 6.2]})
    copied = compare_rows(match_rows(records, records)).summarise_moves("classification")
    assert (copied.pairs, copied.copies, copied.largest) == (0, 2, None)


def test_copies_of_one_training_are_left_out_of_a_row_that_moved() -> None:
    copies = make_records({4: [6.0, 6.1, 6.2, 6.3, 6.4]})
    moved = {4: [7.0, 7.11, 7.2]}
    expected = compare({4: [6.0, 6.1, 6.2]}, moved).rows[0]
    second = [*make_records(moved, finished_at=LATER), *copies[3:]]
    (row,) = compare_rows(match_rows(copies, second)).rows
    assert (row.word, row.seeds, row.copies, row.n) == (DIFFERENT, [0, 1, 2], 2, 3)
    assert row.metric_moves == expected.metric_moves
    assert row.p_value == expected.p_value


def test_images_count_where_outcomes_were_kept(tmp_path: Path) -> None:
    sides = []
    for side in range(2):
        records = []
        for seed in range(3):
            hits = np.random.default_rng([side, seed]).random(IMAGES) > 0.06
            record = replace(make_blank(4), seed=seed, finished_at=f"{side}")
            records.append(add_outcomes(record, tmp_path / f"{side}{seed}", hits))
        sides.append(records)
    (row,) = compare_rows(match_rows(*sides)).rows
    assert row.metric_moves[0].difference.images == IMAGES
    # Hits and misses of independent networks, each wrong in the same way.
    assert row.predictions_differ_pct == pytest.approx(100 * 2 * 0.06 * 0.94, abs=1.0)
    # Equal figures of other images are not equal.
    outcomes = {"sha256": "0" * 64, "ranks": 5}
    other = replace(sides[0][0], finished_at=LATER, outcomes=outcomes, folder=None)
    (row,) = compare_rows(match_rows(sides[0][:1], [other])).rows
    assert row.word == MOVED


def test_whatever_else_differs_is_named_by_side() -> None:
    first = make_records({4: [6.0]})
    second = make_records({4: [6.1]}, finished_at=LATER, commit="1" * 40, versions={"torch": "3"})
    compared = compare_rows(match_rows(first, second))
    assert compared.surroundings == ["torch (2: A; 3: B)", "commit (0000000: A; 1111111: B)"]
    # Of one training nothing can differ, and what its record lacks is of no matter.
    untold = [replace(record, trainer={}) for record in first]
    assert compare_rows(match_rows(untold, untold)).surroundings == []


def simulate_no_change(
    draws: int, rows: Sequence[tuple[int, int]], row_spread: float, seed: int = 0
) -> float:
    """Return how often any row is called different though nothing changed; `rows` are the seeds of A and B in each.

    `row_spread` is the standard deviation of the logarithm of the rows' own standard deviations.
    """
    rng = np.random.default_rng(seed)
    wrong = 0
    for _ in range(draws):
        sides: tuple[Errors, Errors] = ({}, {})
        for r, seeds in enumerate(rows, 1):
            sd = 0.25 * np.exp(rng.normal(0.0, row_spread))
            for side, count in zip(sides, seeds, strict=True):
                # Errors are counts of images.
                side[r] = np.round(rng.normal(6.0, sd, count), 2).tolist()
        wrong += DIFFERENT in list_words(compare(*sides))
    return wrong / draws


TABLES = {
    "three seeds": [(3, 3)] * 6,
    "one seed on a side": [(3, 1)] * 6,
    "few rows with several": [(3, 3)] * 3 + [(1, 1)] * 6,
}


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_without_a_change_few_tables_have_a_row_that_is_different(
    rows: list[tuple[int, int]],
) -> None:
    draws = 60
    assert simulate_no_change(draws, rows, 0.25) <= LEVEL + tolerate_chance(draws)


@pytest.mark.slow
@pytest.mark.statistics
@pytest.mark.parametrize("row_spread", [0.0, 0.25])
@pytest.mark.parametrize("rows", [*TABLES.values(), [(5, 5)] * 6, [(3, 1)] * 18])
def test_the_level_holds_for_tables_of_any_seeds(
    rows: list[tuple[int, int]], row_spread: float
) -> None:
    draws = 500
    rate = simulate_no_change(draws, rows, row_spread, seed=len(rows))
    # Shown by `pytest -rP`.
    print(rate)
    assert rate <= LEVEL + tolerate_chance(draws)
