"""What it would take to settle a claim that our records leave open (report floor)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from senet_repro.report.claims.judge import Compared, Judged, compare, judge
from senet_repro.report.claims.pairs import rows_of
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.power import MOST_SEEDS, count_seeds_needed


@dataclass(frozen=True)
class Plan:
    """The seeds that would settle an inconclusive claim about errors, and what they would cost."""

    judged: Judged
    goal: str  # reproduced | contradicted: what the differences so far point to; spread: one seed tells nothing yet
    level: float | None  # of each test, after Holm's strictest step; none for goal spread
    seeds: int | None  # in all; none if MOST_SEEDS are not enough
    missing: dict[str, int]  # runs yet to be trained, by row
    wall_s: float | None  # of those runs, each as long as the row's runs so far


def plans(table: ResultTable, power: float = 0.8) -> list[Plan]:
    """A plan for each inconclusive claim about errors, were the true mean and spread those of its seeds so far.

    The level of a test is that of Holm's strictest step over the claims not yet reproduced, so it is enough whatever
    comes out of the others.
    """
    judged = [one for one in judge(table) if one.claim.kind != "cost"]
    left = sum(one.verdict in ("inconclusive", "contradicted") for one in judged)
    return [
        _plan(one, compare(table, one.claim), power, LEVEL / left)
        for one in judged
        if one.verdict == "inconclusive"
    ]


def _plan(judged: Judged, pairs: Sequence[Compared], power: float, level: float) -> Plan:
    if not pairs or any(pair.difference.n < 2 for pair in pairs):
        return _with_cost(judged, "spread", None, 2)
    margin = judged.claim.margin if judged.claim.kind == "equivalent" else None
    bounds = (-math.inf, 0.0) if margin is None else (-margin, margin)
    wrong = [pair for pair in pairs if not bounds[0] < pair.difference.mean < bounds[1]]
    if not wrong:
        seeds = [_seeds(pair, bounds, power, level) for pair in pairs]
        known = [number for number in seeds if number is not None]
        return _with_cost(
            judged, "reproduced", level, max(known) if len(known) == len(seeds) else None
        )
    # Any one pair contradicts; an equivalence is contradicted on either side. Both count as more tests.
    level = level / (len(pairs) * (1 if margin is None else 2))
    outside = [(-math.inf, bounds[0]), (bounds[1], math.inf)]
    counts = [_seeds(pair, side, power, level) for pair in wrong for side in outside]
    known = [number for number in counts if number is not None]
    return _with_cost(judged, "contradicted", level, min(known, default=None))


def _seeds(pair: Compared, bounds: tuple[float, float], power: float, level: float) -> int | None:
    sd = pair.difference.sd
    assert sd is not None
    return count_seeds_needed(pair.difference.mean, sd, bounds, power, level)


def _with_cost(judged: Judged, goal: str, level: float | None, seeds: int | None) -> Plan:
    if seeds is None:
        return Plan(judged, goal, level, None, {}, None)
    rows = [row for row in rows_of(judged.table, judged.claim) if row.form]
    missing = _missing(rows, seeds)
    wall_s = sum(missing[row.name] * fmean(record.wall_s for record in row.records) for row in rows)
    return Plan(judged, goal, level, seeds, missing, wall_s)


def _missing(rows: Sequence[ResultRow], seeds: int) -> dict[str, int]:
    """How many runs each row lacks until all have so many seeds in common; seeds that most rows have come first."""
    counts = Counter(seed for row in rows for seed in row.seeds)
    kept = {seed for seed, _ in counts.most_common(seeds)}
    return {row.name: seeds - len(kept.intersection(row.seeds)) for row in rows}


def markdown(found: Sequence[Plan], power: float) -> str:
    """A line for each claim; without the heading of its table."""
    return "\n".join(f"- {plan.judged.claim.says}: {_says(plan, power)}" for plan in found)


def _says(plan: Plan, power: float) -> str:
    difference = plan.judged.difference
    so_far = "no seed in common"
    if difference is not None:
        spread = (
            "" if difference.sd is None else f" with a standard deviation of {difference.sd:.2f}"
        )
        so_far = f"{difference.mean:+.2f} points{spread} over {difference.n} seed{'' if difference.n == 1 else 's'}"
    if plan.goal == "spread":
        return f"{so_far}: two seeds at least tell how far seeds differ; {_cost(plan)}."
    head = f"{so_far}: to reproduce it takes"
    if plan.goal == "contradicted":
        where = "beyond the margin" if plan.judged.claim.kind == "equivalent" else "the other way"
        head = f"{so_far}, {where}: more seeds would not reproduce it, to contradict it takes"
    if plan.seeds is None:
        return f"{head} more than {MOST_SEEDS:,} seeds, more than anybody trains."
    assert plan.level is not None
    return (
        f"{head} {plan.seeds} seeds at {power:.0%} power (level {plan.level:.2g}); {_cost(plan)}."
    )


def _cost(plan: Plan) -> str:
    runs = ", ".join(f"{number} of {row}" for row, number in plan.missing.items() if number)
    return f"to be trained: {runs}, {duration(plan.wall_s or 0.0)}"


def duration(seconds: float) -> str:
    """A time as one says it: seconds, minutes, hours or days."""
    for unit, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"
