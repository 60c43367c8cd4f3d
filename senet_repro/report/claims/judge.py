"""Claims of the paper judged by our records (report floor).

A claim about a metric is reproduced where a one-sided t test paired by seed says so, or TOST for an equivalence, and
contradicted where the opposite test does. Either verdict is wrong for any claim of a table in at most 5 % of cases: the
p values of each are adjusted by Holm over the claims that could be tested. A claim of several pairs of rows holds where
each pair does (so its p is the greatest), and fails where any does (the least, times their number).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from senet_repro.config.schema import Claim
from senet_repro.report.claims.evidence import (
    Finding,
    describe_cost,
    describe_difference,
    explain_cost_obstacle,
)
from senet_repro.report.claims.kinds import ClaimKind, Cost, MetricClaim, read_claim
from senet_repro.report.claims.pairs import Pair, find_rows, pair_rows
from senet_repro.report.tables.build import ResultTable
from senet_repro.stats.estimates import LEVEL, Estimate, adjust_holm
from senet_repro.stats.ranks import RankAgreement, rank_agreement

REPRODUCED = "reproduced"
CONTRADICTED = "contradicted"
INCONCLUSIVE = "inconclusive"
NOT_RUN = "not run"
VERDICTS = (REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_RUN)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim under one protocol: its verdict and the evidence for it."""

    table: ResultTable
    kind: ClaimKind  # the claim as its kind
    verdict: str  # of VERDICTS
    # First row less second, paired by seed; of a chain the pair that decides. Of a cost the increase in percent.
    difference: Estimate | None = None
    # Adjusted within the table; of the verdict given, or of REPRODUCED where it is inconclusive.
    p_value: float | None = None
    n: int = 0  # pairs of seeds
    evidence: str  # a sentence: figures, test, n, and whatever confounds

    @property
    def claim(self) -> Claim:
        """Return the claim as the paper's YAML has it."""
        return self.kind.claim


@dataclass(frozen=True)
class Compared:
    """A pair of rows of a claim, with the p values of its holding and of its opposite."""

    pair: Pair
    difference: Estimate
    p_holds: float
    p_fails: float


def judge(table: ResultTable) -> list[Judged]:
    """Return the verdict on every claim of a table, in the table's order."""
    kinds = [read_claim(table.paper, claim) for claim in table.paper.claims]
    compared = [compare_rows(table, kind) for kind in kinds]
    # Two families of tests: whether claims hold, and whether their opposites do.
    p_holds = _adjust_tested(compared, _p_all_hold)
    p_fails = _adjust_tested(compared, _p_any_fails)
    return [
        _judge_claim(table, kind, pairs, holds, fails)
        for kind, pairs, holds, fails in zip(kinds, compared, p_holds, p_fails, strict=True)
    ]


def compare_rows(table: ResultTable, kind: ClaimKind) -> list[Compared]:
    """Return the pairs of rows of a claim about a metric; nothing unless all pairs have seeds in common."""
    if isinstance(kind, Cost):
        return []
    compared = []
    for pair in pair_rows(table, kind):
        difference = pair.estimate_difference(kind.metric)
        if difference is None:
            return []
        p_holds, p_fails = kind.test_difference(difference)
        compared.append(Compared(pair, difference, p_holds, p_fails))
    return compared


def list_confounds(table: ResultTable) -> list[str]:
    """Return what else differs between rows that a claim compares, each once: device, commit, versions and the like."""
    confounds: dict[str, None] = {}
    for claim in table.paper.claims:
        for pair in pair_rows(table, read_claim(table.paper, claim)):
            confounds |= dict.fromkeys(pair.find_confounds())
    return list(confounds)


def compare_order(table: ResultTable) -> RankAgreement | None:
    """Return how well our rows' means of the first metric have the paper's order.

    None is returned where fewer than three rows have both figures.
    """
    name = table.metrics[0].name
    papers, ours = [], []
    for row in table.rows:
        published = row.paper.published(name)
        if published is not None and name in row.estimates:
            papers.append(published)
            ours.append(row.estimates[name].mean)
    return rank_agreement(papers, ours)


def _adjust_tested(
    compared: Sequence[Sequence[Compared]], combine_pairs: Callable[[Sequence[Compared]], float]
) -> list[float | None]:
    """Return the p of each claim, adjusted by Holm over those that are tested; None for the others."""
    tested = [index for index, pairs in enumerate(compared) if _is_tested(pairs)]
    adjusted = adjust_holm([combine_pairs(compared[index]) for index in tested])
    p_values: list[float | None] = [None] * len(compared)
    for index, p_value in zip(tested, adjusted, strict=True):
        p_values[index] = p_value
    return p_values


def _is_tested(pairs: Sequence[Compared]) -> bool:
    """Return whether a claim is tested, and so belongs to the table's family of tests: one seed is no evidence."""
    return bool(pairs) and all(pair.difference.n > 1 for pair in pairs)


def _p_all_hold(pairs: Sequence[Compared]) -> float:
    return max(pair.p_holds for pair in pairs)


def _p_any_fails(pairs: Sequence[Compared]) -> float:
    # Any pair that fails will do, so there are as many chances to be wrong as pairs (Bonferroni).
    return min(1.0, len(pairs) * min(pair.p_fails for pair in pairs))


def _judge_claim(
    table: ResultTable,
    kind: ClaimKind,
    pairs: Sequence[Compared],
    p_holds: float | None,
    p_fails: float | None,
) -> Judged:
    gap = _explain_gap(table, kind)
    if gap is not None:
        return Judged(table=table, kind=kind, verdict=NOT_RUN, evidence=gap)
    if isinstance(kind, Cost):
        return _judge_cost(table, kind)
    if not pairs:
        evidence = "Its rows have no seed in common."
        return Judged(table=table, kind=kind, verdict=INCONCLUSIVE, evidence=evidence)
    return _judge_pairs(table, kind, pairs, p_holds, p_fails)


def _explain_gap(table: ResultTable, kind: ClaimKind) -> str | None:
    """Return why a claim cannot be judged for want of records; None where it can."""
    rows = find_rows(table, kind.claim)
    lacking = [row.name for row in rows if not row.is_cited and not row.records]
    if lacking:
        return f"No records of {', '.join(lacking)}."
    if all(row.is_cited for row in rows):
        return "The paper's rows are not offered here."
    return None


def _judge_pairs(
    table: ResultTable,
    kind: MetricClaim,
    pairs: Sequence[Compared],
    p_holds: float | None,
    p_fails: float | None,
) -> Judged:
    """Return the verdict on a claim whose rows have seeds in common.

    The p values are adjusted; both are None where the claim was not tested.
    """
    verdict, p_value = INCONCLUSIVE, p_holds
    # The pair that decides is the one that holds least, or the one that speaks most against the claim.
    deciding = max(pairs, key=lambda pair: pair.p_holds)
    if p_holds is not None and p_holds <= LEVEL:
        verdict = REPRODUCED
    elif p_fails is not None and p_fails <= LEVEL:
        verdict, p_value = CONTRADICTED, p_fails
        deciding = min(pairs, key=lambda pair: pair.p_fails)
    confounds: dict[str, None] = {}
    for compared in pairs:
        confounds |= dict.fromkeys(compared.pair.find_confounds())
    finding = Finding(
        pair=deciding.pair,
        difference=deciding.difference,
        pairs=len(pairs),
        p_value=p_value,
        is_opposite=verdict == CONTRADICTED,
        confounds=list(confounds),
    )
    return Judged(
        table=table,
        kind=kind,
        verdict=verdict,
        difference=deciding.difference,
        p_value=p_value,
        n=deciding.difference.n,
        evidence=describe_difference(kind, finding),
    )


def _judge_cost(table: ResultTable, kind: Cost) -> Judged:
    """Return the verdict on sizes: they are counted, so one seed is enough, but only on the paper's network."""
    first, second = find_rows(table, kind.claim)
    counts = kind.counted_size.count(first), kind.counted_size.count(second)
    assert counts[0] is not None
    assert counts[1] is not None
    increase_pct = 100 * (counts[0] / counts[1] - 1)
    verdict = REPRODUCED if kind.is_met_by(increase_pct) else CONTRADICTED
    obstacle = explain_cost_obstacle(table, (first, second))
    # Counts of another network neither bear the claim out nor refute it.
    if obstacle:
        verdict = INCONCLUSIVE
    n = min(len(first.records), len(second.records))
    return Judged(
        table=table,
        kind=kind,
        verdict=verdict,
        difference=Estimate(n, increase_pct),
        n=n,
        evidence=describe_cost(kind, (counts[0], counts[1]), increase_pct, obstacle),
    )
