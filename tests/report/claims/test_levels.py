"""How often verdicts are wrong, or right, over simulated campaigns whose truth is known.

The gate has a few draws of each; `make test-statistics` has those that tell 5 % from 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from senet_repro.report.claims.judge import judge_together
from senet_repro.report.claims.pairs import find_row
from senet_repro.report.claims.words import CONTRADICTED, NO_EFFECT, REPRODUCED, SMALLER
from senet_repro.stats.estimates import LEVEL
from tests.records import make_plan
from tests.report.claims.campaigns import (
    DECISIVE,
    build_table,
    draw_records,
    find_rates,
    judge_records,
    pick_seeds,
)
from tests.stats.simulations import tolerate_chance

TABLES = ["squeeze", "cifar10", "excitation", "stages"]
"""Tables with an equivalence, with claims that share no rows, with a chain, and with six claims."""

simulation = pytest.mark.slow
statistics = pytest.mark.statistics


def test_rows_that_do_not_differ_are_rarely_judged_to() -> None:
    draws = 25
    rates = find_rates("squeeze", 3, draws)
    assert rates["any decisive"] <= LEVEL + tolerate_chance(draws)


@simulation
@statistics
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_nothing_keeps_its_level_in_both_directions_together(
    name: str, seeds: int
) -> None:
    draws = 400
    rates = find_rates(name, seeds, draws, seed=seeds)
    # Shown by `pytest -rP`.
    print(rates)
    assert rates["any decisive"] <= LEVEL + tolerate_chance(draws)


@simulation
@statistics
@pytest.mark.parametrize("seeds", [3, 5])
def test_a_report_over_several_tables_keeps_the_level_as_one_family(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    draws, wrong, wrong_in_tables = 200, 0, 0
    for _ in range(draws):
        tables = [
            build_table(name, draw_records(rng, name, seeds))
            for name in ("cifar10", "cifar100", "stages", "excitation")
        ]
        judged = [one for claims in judge_together(tables) for one in claims]
        wrong += any(one.verdict_in_report in DECISIVE for one in judged)
        wrong_in_tables += any(one.verdict in DECISIVE for one in judged)
    print(
        f"any wrong in the report {wrong / draws:.3f}, at the tables' own {wrong_in_tables / draws:.3f}"
    )
    assert wrong / draws <= LEVEL + tolerate_chance(draws)


def test_an_effect_the_other_way_is_never_reproduced() -> None:
    rates = find_rates("squeeze", 5, 20, gain=-0.6)
    assert REPRODUCED not in rates
    assert SMALLER not in rates
    # That is so of two of its four claims.
    assert rates["one " + CONTRADICTED] > 0.25


@simulation
@statistics
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_an_effect_the_other_way_is_contradicted_and_as_good_as_never_reproduced(
    seeds: int,
) -> None:
    rates = find_rates("cifar10", seeds, 200, gain=-0.3, seed=seeds)
    print(rates)
    assert rates.get(REPRODUCED, 0.0) + rates.get(SMALLER, 0.0) <= 0.01
    assert rates.get("one " + CONTRADICTED, 0.0) >= {3: 0.03, 5: 0.15, 10: 0.6}[seeds]


@simulation
@statistics
@pytest.mark.parametrize(
    ("seeds", "gain", "verdicts", "power"),
    [
        # The published gains are 0.4 to 1.1 points.
        (5, 1.0, (REPRODUCED,), 0.9),
        (10, 0.6, (REPRODUCED, SMALLER), 0.9),
        (20, 0.0, (NO_EFFECT,), 0.3),
    ],
)
def test_what_is_there_is_found(
    seeds: int, gain: float, verdicts: Sequence[str], power: float
) -> None:
    rates = find_rates("cifar10", seeds, 100, gain=gain, seed=seeds)
    print(rates)
    assert sum(rates.get(f"one {verdict}", 0.0) for verdict in verdicts) >= power


def delete_worst_seeds(rng: np.random.Generator, kept: int) -> tuple[bool, bool]:
    """Return whether a campaign of ten planned seeds reproduces anything from its luckiest, and whether it says so."""
    plan = make_plan(range(10), tables=["squeeze"])
    records = draw_records(rng, "squeeze", 10, plan=plan)
    table = build_table("squeeze", records)
    with_se, without = find_row(table, "avg"), find_row(table, "ResNet-50")
    gains = {}
    for better, worse in zip(with_se.records, without.records, strict=True):
        gains[better.seed] = worse.metrics["top1_err_pct"] - better.metrics["top1_err_pct"]
    luckiest = sorted(gains, key=lambda seed: gains[seed])[-kept:]
    judged = judge_records("squeeze", pick_seeds(records, luckiest))
    reproduced = [one for one in judged if one.verdict in (REPRODUCED, SMALLER)]
    return bool(reproduced), all(one.is_provisional for one in reproduced)


def test_deleted_seeds_leave_every_verdict_provisional() -> None:
    rng = np.random.default_rng(0)
    outcomes = [delete_worst_seeds(rng, 5) for _ in range(20)]
    assert any(is_reproduced for is_reproduced, _ in outcomes)
    assert all(is_provisional for _, is_provisional in outcomes)


@simulation
@statistics
@pytest.mark.parametrize("kept", [3, 5, 8])
def test_whatever_is_deleted_no_verdict_stands_without_its_proviso(kept: int) -> None:
    rng = np.random.default_rng(kept)
    outcomes = [delete_worst_seeds(rng, kept) for _ in range(200)]
    print(f"reproduced from the luckiest: {np.mean([one for one, _ in outcomes]):.2f}")
    assert all(is_provisional for _, is_provisional in outcomes)


def look_after_every_seed(rng: np.random.Generator, most: int, *, is_planned: bool) -> bool:
    """Return whether a campaign of nothing is decided at any look from three seeds on."""
    plan = make_plan(range(3), grows_from=3, tables=["squeeze"]) if is_planned else None
    records = draw_records(rng, "squeeze", most, plan=plan)
    for n in range(3, most + 1):
        judged = judge_records("squeeze", pick_seeds(records, range(n)))
        if any(one.verdict in DECISIVE for one in judged):
            return True
    return False


def test_a_plan_that_grows_keeps_the_level_at_every_look() -> None:
    rng = np.random.default_rng(0)
    draws = 10
    wrong = sum(look_after_every_seed(rng, 6, is_planned=True) for _ in range(draws))
    assert wrong / draws <= LEVEL + tolerate_chance(draws)


@simulation
@statistics
def test_peeking_is_held_by_a_plan_that_grows_and_not_without() -> None:
    draws = 150
    rates = {}
    for is_planned in (True, False):
        rng = np.random.default_rng(1)
        wrong = [look_after_every_seed(rng, 12, is_planned=is_planned) for _ in range(draws)]
        rates[is_planned] = float(np.mean(wrong))
    print(f"planned {rates[True]:.3f}, not planned {rates[False]:.3f}")
    assert rates[True] <= LEVEL + tolerate_chance(draws)
    assert rates[False] > rates[True]
