"""The seeds that would settle a claim which our records leave open (report floor)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from senet_repro.config.schema import PaperTable
from senet_repro.report.claims.claim_tests import (
    list_tests_against,
    list_tests_for,
    list_tests_of_nothing,
    suppose_tests,
)
from senet_repro.report.claims.comparisons import Comparison, MetricClaim
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.judge import Judged, compare_rows, judge
from senet_repro.report.claims.kinds import read_claim
from senet_repro.report.claims.pairs import find_row, find_rows, list_gain_rows
from senet_repro.report.claims.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NO_EFFECT,
    NOT_RUN,
    NOT_TESTABLE,
    REPRODUCED,
    SMALLER,
)
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.looks import price_looks
from senet_repro.stats.power import (
    MOST_SEEDS,
    OneSidedTest,
    bound_distance,
    count_seeds_jointly,
    find_detectable,
)

SECOND_SEED = "second seed"
"""The goal where the seeds so far, such as a single one, do not tell how far seeds differ."""

POWER = 0.8
"""The chance to settle a claim that seeds are reckoned for, where nobody asks for another."""

SEEDS_SHOWN = (3, 5, 10, 20)
"""Numbers of seeds whose minimum detectable effect is printed before there are records."""


@dataclass(frozen=True, kw_only=True)
class SeedsNeeded:
    """The seeds that would settle an inconclusive claim about a metric, and what they would cost."""

    judged: Judged
    kind: MetricClaim
    goal: str  # the verdict that takes the fewest seeds, as the differences so far point; or SECOND_SEED
    level: float | None = None  # of each test, after Holm's strictest step; None for SECOND_SEED
    # In all, were the differences so far as near to the bound as their lower bounds; None if MOST_SEEDS are not enough.
    seeds: int | None
    hoped_seeds: int | None = None  # the same, were the differences so far the true ones
    # The least effect that as many seeds as there are show with this power; None for SECOND_SEED.
    detectable: float | None = None
    missing: dict[str, int]  # runs yet to be trained, by row
    wall_s: float | None  # of those runs, each as long as the row's runs so far


@dataclass(frozen=True, kw_only=True)
class SupposedPlan:
    """The seeds that a claim takes before anything is trained, for a supposed effect."""

    kind: MetricClaim
    level: float
    seeds: int | None  # None if MOST_SEEDS are not enough
    detectable: dict[int, float]  # the least effect, by the number of seeds


@dataclass(frozen=True)
class _Goal:
    """A verdict that more seeds may lead to."""

    verdict: str
    tests: list[OneSidedTest]
    level: float  # of each test
    is_any_enough: bool = False


def plan_seeds(table: ResultTable, power: float = POWER) -> list[SeedsNeeded]:
    """Return the seeds that each inconclusive claim about a metric needs for all of its tests together.

    The level of a test is that of Holm's strictest step over the tests that are still to be passed, so it is enough
    whatever comes out of the other claims.
    """
    about_metrics = [one for one in judge(table) if not isinstance(one.kind, Cost)]
    tested = [one for one in about_metrics if one.verdict not in (NOT_RUN, NOT_TESTABLE)]
    # A claim has a test for it and one against it, of which a verdict needs one. Those passed stay passed at their own
    # steps; each of the others may come first and then has to pass at level / pending.
    passed = sum(one.verdict in (REPRODUCED, SMALLER, CONTRADICTED) for one in tested)
    pending = 2 * len(tested) - passed
    undecided = sum(one.verdict == INCONCLUSIVE for one in tested)
    needed = []
    for one in tested:
        if one.verdict == INCONCLUSIVE:
            needed.append(_plan_claim(table, one, power, LEVEL / pending, LEVEL / undecided))
    return needed


def suppose_seeds(
    paper: PaperTable, effect: float, sd: float, power: float = POWER
) -> list[SupposedPlan]:
    """Return the seeds that each claim of a table about a metric takes, for a supposed gain and standard deviation."""
    kinds = [read_claim(paper, claim) for claim in paper.claims]
    supposed: list[tuple[MetricClaim, list[OneSidedTest]]] = []
    for kind in kinds:
        if isinstance(kind, Cost):
            continue
        tests = suppose_tests(kind, effect, sd)
        # Claims about rows that the paper cites take no seeds.
        if tests:
            supposed.append((kind, tests))
    plans = []
    for kind, tests in supposed:
        # Before there are records every claim may be the first to be tested, for it and against it.
        level = LEVEL / (2 * len(supposed))
        detectable = {n: find_detectable(n, tests, power, level) for n in SEEDS_SHOWN}
        seeds = _count_seeds(_Goal(REPRODUCED, tests, level), tests, power, None)
        plans.append(SupposedPlan(kind=kind, level=level, seeds=seeds, detectable=detectable))
    return plans


def _plan_claim(
    table: ResultTable, judged: Judged, power: float, level: float, level_of_nothing: float
) -> SeedsNeeded:
    kind = judged.kind
    assert not isinstance(kind, Cost)
    comparisons = compare_rows(table, kind)
    # Of one seed there is no spread, and one of 0 is chance: any number of seeds would look like enough.
    if not comparisons or not all(each.difference.sd for each in comparisons):
        seeds_next = 1 + min((each.difference.n for each in comparisons), default=1)
        missing, wall_s = _reckon_cost(judged, seeds_next)
        return SeedsNeeded(
            judged=judged,
            kind=kind,
            goal=SECOND_SEED,
            seeds=seeds_next,
            missing=missing,
            wall_s=wall_s,
        )
    looked_from = None
    if judged.seeds:
        looked_from = judged.seeds.grows_from
    goals = _list_goals(kind, comparisons, level, level_of_nothing)
    hopes = [_count_seeds(goal, goal.tests, power, looked_from) for goal in goals]
    # Of several verdicts that the differences so far point to, the one that takes the fewest seeds comes first.
    fewest = min(range(len(goals)), key=lambda index: hopes[index] or MOST_SEEDS + 1)
    goal, hoped_seeds = goals[fewest], hopes[fewest]
    bounded = [bound_distance(test) for test in goal.tests]
    seeds = _count_seeds(goal, bounded, power, looked_from)
    n = min(each.difference.n for each in comparisons)
    level_now = _share_level(level, n, looked_from)
    missing, wall_s = _reckon_cost(judged, seeds or hoped_seeds)
    return SeedsNeeded(
        judged=judged,
        kind=kind,
        goal=goal.verdict,
        level=goal.level,
        seeds=seeds,
        hoped_seeds=hoped_seeds,
        detectable=find_detectable(n, list_tests_for(kind, comparisons), power, level_now),
        missing=missing,
        wall_s=wall_s,
    )


def _list_goals(
    kind: MetricClaim,
    comparisons: Sequence[Comparison],
    level: float,
    level_of_nothing: float,
) -> list[_Goal]:
    """Return the verdicts that the differences so far point to: at least one."""
    goals = []
    pairs = len(comparisons)
    for comparison in comparisons:
        nothing = list_tests_of_nothing(kind, comparison)
        if nothing and all(test.distance > 0 for test in nothing):
            # Any pair whose gain is nothing will do, so each has its share of the level.
            goals.append(_Goal(NO_EFFECT, nothing, level_of_nothing / pairs))
    tests_for = list_tests_for(kind, comparisons)
    if all(test.distance > 0 for test in tests_for):
        return [_Goal(REPRODUCED, tests_for, level), *goals]
    tests_against = list_tests_against(kind, comparisons)
    level_against = level / len(tests_against)
    return [_Goal(CONTRADICTED, tests_against, level_against, is_any_enough=True), *goals]


def _count_seeds(
    goal: _Goal, tests: Sequence[OneSidedTest], power: float, looked_from: int | None
) -> int | None:
    def find_level(n: int) -> float:
        """Return the level of each test with n seeds."""
        return _share_level(goal.level, n, looked_from)

    seeds = count_seeds_jointly(tests, power, find_level, goal.is_any_enough)
    if seeds is None or looked_from is None:
        return seeds
    # Before the first look nothing is tested.
    return max(seeds, looked_from)


def _share_level(level: float, n: int, looked_from: int | None) -> float:
    """Return the level that a test with n seeds may spend, of looks from so many seeds on; all of it for None."""
    if looked_from is None:
        return level
    return level / price_looks(max(n, looked_from), looked_from)


def _reckon_cost(judged: Judged, seeds: int | None) -> tuple[dict[str, int], float | None]:
    """Return the runs that so many seeds in all lack, by row, and their time; neither for None."""
    if seeds is None:
        return {}, None
    rows = _list_trained_rows(judged)
    missing = _count_missing_runs(rows, seeds)
    wall_s = 0.0
    for row in rows:
        wall_s += missing[row.name] * fmean(record.wall_s for record in row.records)
    return missing, wall_s


def _list_trained_rows(judged: Judged) -> list[ResultRow]:
    """Return the rows that a claim takes runs of, each once: those compared, and those whose gain gives the margin."""
    table, claim = judged.table, judged.claim
    found = find_rows(table, claim)
    found += [find_row(table, name) for name in list_gain_rows(table, claim)]
    by_name = {row.name: row for row in found if not row.is_cited}
    return list(by_name.values())


def _count_missing_runs(rows: Sequence[ResultRow], seeds: int) -> dict[str, int]:
    """Return how many runs each row lacks until all have so many seeds in common.

    The seeds to have in common are those that most rows have already.
    """
    counts = Counter(seed for row in rows for seed in row.seeds)
    kept = {seed for seed, _ in counts.most_common(seeds)}
    missing = {}
    for row in rows:
        trained = kept.intersection(row.seeds)
        missing[row.name] = seeds - len(trained)
    return missing
