"""Plans for claims that are open: which way, how many seeds, what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from statsmodels.stats.power import TTestPower

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.seeds_needed import (
    SECOND_SEED,
    SeedsNeeded,
    plan_seeds,
    suppose_seeds,
)
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.seeds_needed import (
    format_seeds_needed,
    format_supposed_plans,
)
from senet_repro.results.store import Results
from tests.records import make_plan, row_records

LOWER, NO_SE = "averages are the better squeeze", "averages as the squeeze lower the error"


def planned(
    name: str,
    errors: Mapping[str, Sequence[float]],
    wall_s: float = 60.0,
    plan: dict[str, Any] | None = None,
) -> dict[str, SeedsNeeded]:
    table = find_table(name)
    records = [
        replace(one, wall_s=wall_s, plan=plan)
        for row, top1 in errors.items()
        for one in row_records(table, row, top1)
    ]
    (found,) = build_tables(Results(records), [table])
    return {plan.judged.claim.says: plan for plan in plan_seeds(found)}


def test_the_seeds_are_those_of_the_noncentral_t_at_holms_strictest_level() -> None:
    # Differences -1, 0 and -2: a mean of one standard deviation. All four claims are open.
    errors = {"avg": [22.0, 22.0, 22.0], "max": [23.0, 22.0, 24.0], "ResNet-50": [22.1, 22.2, 21.9]}
    plan = planned("squeeze", errors)[LOWER]
    oracle = TTestPower().solve_power(1.0, power=0.8, alpha=0.05 / 8, alternative="larger")
    assert (plan.goal, plan.level) == ("reproduced", 0.05 / 8)
    assert plan.hoped_seeds == math.ceil(oracle)
    assert plan.seeds is not None
    assert plan.seeds > plan.hoped_seeds


def test_the_least_gain_that_shows_is_that_of_the_noncentral_t() -> None:
    plan = planned("squeeze", {"avg": [22.0, 22.0, 22.0], "ResNet-50": [23.0, 22.0, 24.0]})[NO_SE]
    assert plan.detectable is not None
    found = TTestPower().power(plan.detectable, 3, 0.025, df=2, alternative="larger")
    assert found == pytest.approx(0.8)


def test_a_plan_says_which_runs_are_missing_and_their_time() -> None:
    plan = planned(
        "squeeze", {"avg": [22.0, 22.0, 22.0, 22.0], "ResNet-50": [23.0, 22.0, 24.0]}, wall_s=3600.0
    )[NO_SE]
    # A mean of one standard deviation over three seeds, whose lower bound is a quarter of one.
    assert (plan.seeds, plan.hoped_seeds) == (119, 10)
    assert plan.missing == {"avg": 115, "ResNet-50": 116}
    assert plan.wall_s == 231 * 3600.0
    text = format_seeds_needed([plan], 0.8)
    assert (
        "-1.00 points with a standard deviation of 1.00 over 3 seeds: to reproduce it takes 119 seeds"
        in text
    )
    assert "at 80% power (level 0.025) by its lower bound, 10 if it is the true difference" in text
    assert (
        "to be trained: 115 of avg, 116 of ResNet-50, 9 days 15 h. With 3 seeds the least gain"
        in text
    )


def test_seeds_that_other_rows_lack_are_counted_by_what_all_rows_share() -> None:
    table = find_table("squeeze")
    records = [
        *row_records(table, "avg", [22.0] * 4),
        *row_records(table, "ResNet-50", [23.0, 22.0, 24.0, 23.0])[1:],
    ]
    (found,) = build_tables(Results(records), [table])
    (plan,) = plan_seeds(found)
    assert plan.seeds is not None
    assert plan.missing == {"avg": plan.seeds - 4, "ResNet-50": plan.seeds - 3}


def test_one_seed_has_no_spread_and_takes_a_second() -> None:
    plan = planned("squeeze", {"avg": [22.0], "ResNet-50": [23.0]})[NO_SE]
    assert (plan.goal, plan.seeds, plan.level, plan.missing) == (
        SECOND_SEED,
        2,
        None,
        {"avg": 1, "ResNet-50": 1},
    )
    assert "over 1 seed: two seeds at least tell how far seeds differ" in format_seeds_needed(
        [plan], 0.8
    )


def test_rows_without_a_seed_in_common_take_two() -> None:
    table = find_table("squeeze")
    records = [
        *row_records(table, "avg", [22.0]),
        *row_records(table, "ResNet-50", [23.0, 23.0])[1:],
    ]
    (found,) = build_tables(Results(records), [table])
    (plan,) = plan_seeds(found)
    assert (plan.goal, plan.seeds, sum(plan.missing.values())) == (SECOND_SEED, 2, 2)
    assert "no seed in common: two seeds" in format_seeds_needed([plan], 0.8)


def test_an_effect_of_the_wrong_sign_is_not_to_be_reproduced_by_more_seeds() -> None:
    plan = planned("squeeze", {"avg": [23.0, 22.0, 24.0], "ResNet-50": [22.0, 22.0, 22.0]})[NO_SE]
    assert (plan.goal, plan.hoped_seeds) == ("contradicted", 10)
    assert (
        "the other way: more seeds would not reproduce it, to contradict it takes 119 seeds"
        in format_seeds_needed([plan], 0.8)
    )


@pytest.mark.parametrize(
    ("second", "goal"),
    [
        ([22.1, 22.3, 21.9], "reproduced"),
        ([22.4, 22.6, 22.2], "contradicted"),
        ([22.34, 22.5, 22.2], "contradicted"),
    ],
)
def test_an_equivalence_is_planned_by_tost_within_the_margin_and_contradicted_beyond(
    second: list[float], goal: str
) -> None:
    says = "inside the unit SE is about as good"
    errors = {"SE": [22.0, 22.0, 22.0], "SE_3x3": second, "ResNet-50": [23.0, 23.0, 23.0]}
    plan = planned("se_3x3", errors)[says]
    assert plan.goal == goal
    # Both directions share the level, and beyond the margin there are two sides.
    assert plan.level == (0.025 if goal == "reproduced" else 0.0125)
    # The row without SE, whose difference to SE gives the margin, takes as many runs.
    assert len(set(plan.missing.values())) == 1
    assert set(plan.missing) == set(errors)
    assert ("beyond the margin" in format_seeds_needed([plan], 0.8)) == (goal == "contradicted")


def test_more_seeds_than_anybody_trains_are_called_that() -> None:
    plan = planned("squeeze", {"avg": [22.0] * 3, "ResNet-50": [25.0, 16.0, 25.01]})[NO_SE]
    assert (plan.seeds, plan.hoped_seeds, plan.wall_s) == (None, None, None)
    assert "takes more than 1,000 seeds" in format_seeds_needed([plan], 0.8)


def test_a_gain_too_small_to_matter_is_planned_to_be_shown_as_none() -> None:
    plan = planned("squeeze", {"avg": [22.0] * 3, "ResNet-50": [22.5, 21.5, 22.001]})[NO_SE]
    assert (plan.goal, plan.level) == ("no effect", 0.05)
    assert "less than matters: to show that there is no effect takes" in format_seeds_needed(
        [plan], 0.8
    )


def test_a_difference_that_may_be_none_has_no_seeds_by_its_lower_bound() -> None:
    plan = planned("squeeze", {"avg": [22.0] * 3, "ResNet-50": [22.9, 21.5, 22.9]})[NO_SE]
    assert plan.hoped_seeds is not None
    assert plan.seeds is None
    text = format_seeds_needed([plan], 0.8)
    assert "if that is the true difference, more than 1,000 by its lower bound" in text


def test_a_chain_takes_more_than_its_hardest_pair() -> None:
    chain = {
        "SE": [22.0, 22.0, 22.0],
        "NoSqueeze": [23.0, 22.0, 24.0],
        "ResNet-50": [24.0, 24.0, 24.0],
    }
    (plan,) = planned("no_squeeze", chain).values()
    (alone,) = planned("no_squeeze", {**chain, "ResNet-50": [30.0, 29.0, 31.001]}).values()
    assert plan.hoped_seeds is not None
    assert alone.hoped_seeds is not None
    assert 10 <= alone.hoped_seeds < plan.hoped_seeds
    assert set(plan.missing) == set(chain)


def test_seeds_that_are_added_after_looks_are_more() -> None:
    errors = {"avg": [22.0] * 3, "ResNet-50": [23.0, 22.0, 24.0]}
    fixed = planned("squeeze", errors)[NO_SE]
    growing = planned(
        "squeeze", errors, plan=make_plan([0, 1, 2], grows_from=3, tables=["squeeze"])
    )
    assert fixed.hoped_seeds is not None
    assert (growing[NO_SE].hoped_seeds or 0) > fixed.hoped_seeds
    assert fixed.detectable is not None
    assert (growing[NO_SE].detectable or 0) > fixed.detectable


def test_a_plan_that_grows_is_not_judged_before_its_first_look() -> None:
    clear = {"avg": [22.0] * 3, "ResNet-50": [23.0, 22.9, 23.1]}
    later = make_plan(range(8), grows_from=8, tables=["squeeze"])
    plan = planned("squeeze", clear, plan=later)[NO_SE]
    assert (plan.hoped_seeds, plan.seeds, plan.missing) == (8, 8, {"avg": 5, "ResNet-50": 5})


def test_before_any_run_a_supposed_gain_gives_seeds_of_every_claim_that_trains_something() -> None:
    plans = suppose_seeds(find_table("reduction_ratio"), 0.5, 0.3)
    lower, equivalent = plans
    oracle = TTestPower().solve_power(0.5 / 0.3, power=0.8, alpha=0.05 / 4, alternative="larger")
    assert lower.seeds == math.ceil(oracle)
    assert equivalent.seeds is not None
    assert equivalent.seeds > lower.seeds
    # Six pairs within a third of the gain: each alone would have its power with fewer seeds.
    assert equivalent.seeds > 40
    assert list(lower.detectable.values()) == sorted(lower.detectable.values(), reverse=True)
    assert "7 seeds at 80% power (level 0.013)" in format_supposed_plans(plans, 0.8)
    # A row that the paper cites has no seeds.
    assert len(suppose_seeds(find_table("state_of_the_art"), 0.5, 0.3)) < len(
        find_table("state_of_the_art").claims
    )


def test_only_open_claims_about_errors_have_a_plan() -> None:
    settled = {
        "avg": [22.0, 22.01, 22.02],
        "max": [22.3, 22.31, 22.32],
        "ResNet-50": [23.0, 23.02, 23.01],
    }
    assert planned("squeeze", settled) == {}
    assert "costs" not in " ".join(
        planned("reduction_ratio", {"r = 16": [22.0], "original": [23.0]})
    )
