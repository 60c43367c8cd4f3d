"""The seeds that would settle a claim which our records leave open (report floor)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from senet_repro.report.claims.comparisons import Comparison, MetricClaim, Region
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.judge import Judged, compare_rows, judge
from senet_repro.report.claims.pairs import find_rows
from senet_repro.report.claims.words import CONTRADICTED, INCONCLUSIVE, REPRODUCED
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.power import count_seeds_needed

SECOND_SEED = "second seed"
"""The goal where one seed tells nothing yet: how far seeds differ."""


@dataclass(frozen=True, kw_only=True)
class SeedsNeeded:
    """The seeds that would settle an inconclusive claim about a metric, and what they would cost."""

    judged: Judged
    kind: MetricClaim
    goal: str  # REPRODUCED or CONTRADICTED, as the differences so far point; or SECOND_SEED
    level: float | None = None  # of each test, after Holm's strictest step; None for SECOND_SEED
    seeds: int | None  # in all; None if MOST_SEEDS are not enough
    missing: dict[str, int]  # runs yet to be trained, by row
    wall_s: float | None  # of those runs, each as long as the row's runs so far


def plan_seeds(table: ResultTable, power: float = 0.8) -> list[SeedsNeeded]:
    """Return the seeds that each inconclusive claim about a metric needs, were its differences so far the true ones.

    The level of a test is that of Holm's strictest step over the claims not yet reproduced, so it is enough whatever
    comes out of the others.
    """
    about_metrics = [one for one in judge(table) if not isinstance(one.kind, Cost)]
    # Holm divides the level by the number of claims that are still to be rejected. Those already reproduced stay
    # rejected at their own steps; each of the others may come first and then has to pass at level / pending.
    pending = sum(one.verdict in (INCONCLUSIVE, CONTRADICTED) for one in about_metrics)
    needed = []
    for one in about_metrics:
        if one.verdict == INCONCLUSIVE:
            needed.append(_plan_claim(table, one, power, LEVEL / pending))
    return needed


def _plan_claim(table: ResultTable, judged: Judged, power: float, level: float) -> SeedsNeeded:
    kind = judged.kind
    assert not isinstance(kind, Cost)
    pairs = compare_rows(table, kind)
    if not pairs or any(pair.difference.n < 2 for pair in pairs):
        return _reckon_cost(judged, kind, SECOND_SEED, None, 2)
    against = [pair for pair in pairs if not _lies_within(pair, pair.region_for)]
    if not against:
        seeds = _plan_reproduction(pairs, power, level)
        return _reckon_cost(judged, kind, REPRODUCED, level, seeds)
    # Any one pair contradicts the claim, on any side of its region: each is one more test, and shares the level.
    level = level / (len(pairs) * len(pairs[0].regions_against))
    seeds = _plan_contradiction(against, power, level)
    return _reckon_cost(judged, kind, CONTRADICTED, level, seeds)


def _plan_reproduction(pairs: Sequence[Comparison], power: float, level: float) -> int | None:
    """Return the seeds that the hardest pair needs, since all have to hold; None if there are none for some pair."""
    most = 0
    for pair in pairs:
        seeds = _count_seeds(pair, pair.region_for, power, level)
        if seeds is None:
            return None
        most = max(most, seeds)
    return most


def _plan_contradiction(against: Sequence[Comparison], power: float, level: float) -> int | None:
    """Return the seeds that the easiest pair needs, since one that fails is enough; None if there are none for any."""
    fewest: int | None = None
    for pair in against:
        for region in pair.regions_against:
            seeds = _count_seeds(pair, region, power, level)
            if seeds is not None and (fewest is None or seeds < fewest):
                fewest = seeds
    return fewest


def _lies_within(pair: Comparison, region: Region) -> bool:
    low, high = region
    return low < pair.difference.mean < high


def _count_seeds(pair: Comparison, region: Region, power: float, level: float) -> int | None:
    sd = pair.difference.sd
    # Two seeds have a standard deviation.
    assert sd is not None
    return count_seeds_needed(pair.difference.mean, sd, region, power, level)


def _reckon_cost(
    judged: Judged, kind: MetricClaim, goal: str, level: float | None, seeds: int | None
) -> SeedsNeeded:
    """Return the need for so many seeds in all, with the runs that are missing and their time."""
    missing: dict[str, int] = {}
    wall_s: float | None = None
    if seeds is not None:
        rows = [row for row in find_rows(judged.table, judged.claim) if not row.is_cited]
        missing = _count_missing_runs(rows, seeds)
        wall_s = 0.0
        for row in rows:
            wall_s += missing[row.name] * fmean(record.wall_s for record in row.records)
    return SeedsNeeded(
        judged=judged,
        kind=kind,
        goal=goal,
        level=level,
        seeds=seeds,
        missing=missing,
        wall_s=wall_s,
    )


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
