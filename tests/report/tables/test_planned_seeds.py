"""Seeds beside their plan: what counts, what is missing, and what makes a verdict provisional."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from senet_repro.report.tables.planned_seeds import (
    PlannedSeeds,
    choose_plan,
    compare_with_plan,
    list_seeds,
)
from senet_repro.results.campaign import Campaign
from senet_repro.results.record import Record
from tests.records import make_record

NOON, ONE, TWO = (f"2026-01-01T{hour}:00:00+00:00" for hour in (12, 13, 14))
TABLE = "reduction_ratio"


@cache
def base() -> Record:
    return make_record(["protocol=demo"], seed=0, top1=1.0)


def a_plan(*seeds: int, **changes: Any) -> dict[str, Any]:
    plan = {
        "id": ".plans/a.json",
        "written_at": ONE,
        "seeds": list(seeds),
        "grows_from": None,
        "tables": [TABLE],
        "sha256": "0" * 64,
    }
    return {**plan, **changes}


def row(
    seeds: Sequence[int], plan: Mapping[str, Any] | None, finished_at: str = TWO
) -> list[Record]:
    own = None if plan is None else dict(plan)
    return [replace(base(), seed=seed, plan=own, finished_at=finished_at) for seed in seeds]


def compare(*rows: Sequence[Record], **others: Any) -> PlannedSeeds:
    records = [record for each in rows for record in each]
    return compare_with_plan(rows, TABLE, choose_plan(records, TABLE), **others)


FIVE = a_plan(0, 1, 2, 3, 4)
THREE = a_plan(0, 1, 2)
GROWING = a_plan(0, 1, 2, grows_from=2)
LATER = a_plan(3, 4, id=".plans/b.json", written_at=TWO)

DESCRIPTIONS = {
    "all there": ([row(range(5), FIVE)], "Seeds planned 0-4, found 0-4.", []),
    "two rows": ([row(range(5), FIVE), row(range(5), FIVE)], "Seeds planned 0-4, found 0-4.", []),
    "a row that is not run": ([row(range(3), THREE), []], "Seeds planned 0-2, found 0-2.", []),
    "holes": (
        [row([0, 1, 4], FIVE)],
        "3 of 5 planned seeds: 0, 1, 4; missing 2, 3.",
        ["planned seeds 2, 3 are missing"],
    ),
    "a hole in one row": (
        [row(range(5), FIVE), row([0, 1, 2, 4], FIVE)],
        "4 of 5 planned seeds: 0-2, 4; missing 3.",
        ["planned seed 3 is missing"],
    ),
    "seeds added in a later sweep": (
        [row(range(3), THREE) + row([3, 4], LATER)],
        "Seeds planned 0-2, found 0-2; 2 unplanned (3, 4), which do not count.",
        [],
    ),
    "a seed without a plan": (
        [row(range(3), THREE) + row([7], None)],
        "Seeds planned 0-2, found 0-2; 1 unplanned (7), which does not count.",
        [],
    ),
    "no plan": (
        [row([0, 1], None)],
        "Seeds found 0, 1; no plan was written before these runs.",
        ["no plan was written before these runs"],
    ),
    "nothing at all": (
        [],
        "Seeds found none; no plan was written before these runs.",
        ["no plan was written before these runs"],
    ),
    "trained before": (
        [row([0], None, NOON) + row([1, 2], THREE)],
        "Seeds planned 0-2, found 0-2.",
        ["seed 0 was trained before the plan was written, or outside of it"],
    ),
    "a growing plan that grew": (
        [row(range(8), GROWING)],
        "Seeds planned 0-7, found 0-7, from a plan that may grow, judged from 2 seeds on.",
        [],
    ),
    "a growing plan at its first look": (
        [row(range(2), GROWING)],
        "Seeds planned 0, 1, found 0, 1, from a plan that may grow, judged from 2 seeds on.",
        [],
    ),
    "a growing plan with a hole": (
        [row([0, 1, 3], GROWING)],
        "3 of 4 planned seeds: 0, 1, 3; missing 2, from a plan that may grow, judged from 2 seeds on.",
        ["planned seed 2 is missing"],
    ),
    "a growing plan and a seed far out": (
        [row([0, 1, 2, 4_000_000_000], GROWING)],
        "Seeds planned 0-2, found 0-2, from a plan that may grow, judged from 2 seeds on; 1 unplanned (4000000000), "
        "which does not count.",
        [],
    ),
    "another table's plan": (
        [row(range(3), {**THREE, "tables": ["squeeze"]})],
        "Seeds planned 0-2, found 0-2.",
        ["the plan does not name this table"],
    ),
    "a plan that was changed": (
        [row([0, 1], THREE) + row([2], {**THREE, "sha256": "1" * 64})],
        "Seeds planned 0-2, found 0-2; the plan was changed after runs of it were trained.",
        ["the plan was changed after runs of it were trained"],
    ),
}


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_the_seeds_are_told_beside_the_plan(case: str) -> None:
    rows, description, problems = DESCRIPTIONS[case]
    seeds = compare(*rows)
    assert (seeds.describe(), seeds.problems) == (description, problems)


def test_a_planned_seed_with_which_a_run_failed_is_told_and_one_that_came_well_after_all_is_not() -> (
    None
):
    seeds = compare(row(range(5), FIVE), row([0, 1, 2], FIVE), failed={2, 4})
    assert seeds.describe() == "3 of 5 planned seeds: 0-2; missing 3, 4; a run failed with seed 4."
    assert seeds.problems == ["planned seeds 3, 4 are missing", "a run failed with seed 4"]


def test_a_plan_of_the_table_goes_first_then_the_campaigns_then_the_earliest() -> None:
    early = a_plan(9, id=".plans/e.json", written_at=NOON, tables=["squeeze"])
    sweep = a_plan(1, id=".plans/s.json")
    campaign = a_plan(2, id="plan.yaml", written_at=TWO)
    plans = [early, LATER, sweep, campaign]
    for count, expected in ((4, campaign), (3, sweep), (2, LATER), (1, early)):
        records = [each for plan in plans[:count] for each in row(plan["seeds"][:1], plan)]
        assert choose_plan([*reversed(records), *row([5], None)], TABLE) == expected
    assert choose_plan(row([0], None), TABLE) is None


EARLIER = {"id": ".plans/early.json", "written_at": NOON, "tables": ["squeeze"]}


@pytest.mark.parametrize(
    ("own", "finished_at", "is_before"),
    [
        (a_plan(0, 1, 2, **EARLIER), NOON, False),
        (a_plan(0, **EARLIER), NOON, True),
        (a_plan(0, **EARLIER), TWO, False),
        # A clock that is an hour late says nothing of a run that knew the plan.
        (THREE, NOON, False),
    ],
    ids=["the same seeds", "fewer seeds", "trained after both", "another machine's clock"],
)
def test_a_run_that_another_plan_had_trained(
    own: dict[str, Any], finished_at: str, is_before: bool
) -> None:
    seeds = compare(row([0], own, finished_at) + row([1, 2], THREE))
    assert seeds.counted == [0, 1, 2]
    assert seeds.trained_before == ([0] if is_before else [])


def test_a_campaigns_plan_that_differs_from_the_one_trained_under_is_told() -> None:
    plan = a_plan(0, 1, id="plan.yaml")
    for sha256, was_changed in (("0" * 64, False), ("1" * 64, True)):
        campaign = Campaign(name="x", written_at=ONE, commit=None, tables={}, sha256=sha256)
        seeds = compare(row([0, 1], plan), campaign=campaign)
        assert seeds.was_changed is was_changed
        # A sweep's own plan is another file.
        assert not compare(row([0, 1], a_plan(0, 1)), campaign=campaign).was_changed


def test_whatever_is_found_each_seed_has_its_place() -> None:
    draw = random.Random(0)
    for _ in range(300):
        plan = a_plan(*draw.sample(range(8), draw.randint(1, 6)))
        if draw.random() < 0.4:
            plan = a_plan(*range(6), grows_from=draw.randint(2, 6))
        rows = [
            row(draw.sample(range(12), draw.randint(0, 9)), draw.choice([plan, plan, None]))
            for _ in range(3)
        ]
        seeds = compare_with_plan(rows, TABLE, plan)
        sets = [{record.seed for record in each} for each in rows if each]
        shared = set.intersection(*sets) if sets else set()
        present = set.union(*sets) if sets else set()
        planned = set(seeds.planned or [])
        assert set(seeds.found) == shared
        assert set(seeds.counted) == shared & planned
        assert set(seeds.missing) == planned - shared
        assert set(seeds.unplanned) == present - planned
        assert set(seeds.trained_before) <= set(seeds.counted)
        if plan["grows_from"] is None:
            assert planned == set(plan["seeds"])
        else:
            # No seed can be skipped, whatever is shown.
            assert planned == set(range(max([*present, plan["grows_from"] - 1]) + 1))
            assert not seeds.unplanned


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ((), "none"),
        ((3,), "3"),
        ((1, 0), "0, 1"),
        ((0, 1, 2), "0-2"),
        ((9, 1, 2, 3, 5), "1-3, 5, 9"),
    ],
)
def test_seeds_are_listed_in_few_words(seeds: Sequence[int], words: str) -> None:
    assert list_seeds(seeds) == words


def test_a_plan_that_does_not_hold_its_records_own_seed_is_nobodys() -> None:
    records = row([0], LATER)
    assert choose_plan(records, TABLE) is None
    assert choose_plan([*records, *row([0], THREE)], TABLE) == THREE
