"""Claims of the paper judged by our records (report floor).

A claim about errors is reproduced where a one-sided t test paired by seed says so, or TOST for an equivalence, and
contradicted where the opposite test does. Either verdict is wrong for any claim of a table in at most 5 % of cases: the
p values of each are adjusted by Holm over the claims that could be tested. A claim of several pairs of rows holds where
each pair does (so its p is the greatest), and fails where any does (the least, times their number).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.config.schema import Claim
from senet_repro.report.claims.evidence import cost_obstacle, cost_sentence, error_sentence
from senet_repro.report.claims.pairs import Pair, pairs_of, rows_of
from senet_repro.report.tables.build import ResultTable
from senet_repro.stats.estimates import (
    LEVEL,
    Estimate,
    adjust_holm,
    p_above,
    p_below,
    p_beyond,
    p_within,
)
from senet_repro.stats.ranks import RankAgreement, rank_agreement

VERDICTS = ("reproduced", "contradicted", "inconclusive", "not run")
SIZES = {"params_m": "params", "gflops": "macs"}
"""Published figures that cost claims are about, and what we count for each."""


@dataclass(frozen=True)
class Judged:
    """A claim under one protocol: what is to be thought of it, and why."""

    table: ResultTable
    claim: Claim
    verdict: str  # of VERDICTS
    difference: (
        Estimate | None
    )  # first row less second, paired by seed; of a chain the pair that decides. Cost: in percent
    p_value: (
        float | None
    )  # adjusted within the table; of the verdict given, or of "reproduced" where it is inconclusive
    n: int  # pairs of seeds
    evidence: str  # a sentence: figures, test, n, and whatever confounds


@dataclass(frozen=True)
class Compared:
    """A pair of rows of a claim, with the p values of its holding and of its opposite."""

    pair: Pair
    difference: Estimate
    holds: float
    fails: float


def judge(table: ResultTable) -> list[Judged]:
    """Every claim of a table, in the table's order."""
    compared = [compare(table, claim) for claim in table.paper.claims]
    tested = [index for index, pairs in enumerate(compared) if is_tested(pairs)]
    holds = dict(
        zip(
            tested,
            adjust_holm([max(pair.holds for pair in compared[i]) for i in tested]),
            strict=True,
        )
    )
    fails = dict(zip(tested, adjust_holm([_any_fails(compared[i]) for i in tested]), strict=True))
    judged = []
    for index, claim in enumerate(table.paper.claims):
        lacking = [row.name for row in rows_of(table, claim) if row.form and not row.records]
        if lacking or all(row.form is None for row in rows_of(table, claim)):
            reason = (
                f"No records of {', '.join(lacking)}."
                if lacking
                else "The paper's rows are not offered here."
            )
            judged.append(Judged(table, claim, "not run", None, None, 0, reason))
        elif claim.kind == "cost":
            judged.append(_judge_cost(table, claim))
        elif not compared[index]:
            judged.append(
                Judged(
                    table, claim, "inconclusive", None, None, 0, "Its rows have no seed in common."
                )
            )
        else:
            judged.append(
                _judge_errors(table, claim, compared[index], holds.get(index), fails.get(index))
            )
    return judged


def compare(table: ResultTable, claim: Claim) -> list[Compared]:
    """The pairs of rows of a claim about errors; none unless all pairs have seeds in common."""
    found = []
    for pair in pairs_of(table, claim) if claim.kind != "cost" else []:
        difference = pair.difference(claim.figure)
        if difference is None:
            return []
        found.append(Compared(pair, difference, *p_values(claim, difference)))
    return found


def confounds(table: ResultTable) -> list[str]:
    """What else differs between rows that a claim compares, each once: device, commit, versions and the like."""
    pairs = [
        pair
        for claim in table.paper.claims
        if claim.kind != "cost"
        for pair in pairs_of(table, claim)
    ]
    return list(dict.fromkeys(said for pair in pairs for said in pair.confounds()))


def is_tested(pairs: Sequence[Compared]) -> bool:
    """Whether a claim is tested at all, and so is one of the table's family: one seed is no evidence."""
    return bool(pairs) and all(pair.difference.n > 1 for pair in pairs)


def p_values(claim: Claim, difference: Estimate) -> tuple[float, float]:
    """The p of a pair's difference being as a claim says, and of its being the opposite; not adjusted."""
    if claim.kind == "equivalent":
        assert claim.margin is not None
        return p_within(difference, claim.margin), p_beyond(difference, claim.margin)
    return p_below(difference), p_above(difference)


def ranks(table: ResultTable, figure: str = "top1_err_pct") -> RankAgreement | None:
    """How well our rows' mean errors have the paper's order; none where fewer than three rows have both."""
    both = [(row.paper.published(figure), row.estimates.get(figure)) for row in table.rows]
    known = [(paper, ours.mean) for paper, ours in both if paper is not None and ours is not None]
    return rank_agreement([paper for paper, _ in known], [ours for _, ours in known])


def _any_fails(pairs: Sequence[Compared]) -> float:
    return min(1.0, len(pairs) * min(pair.fails for pair in pairs))


def _judge_errors(
    table: ResultTable,
    claim: Claim,
    pairs: Sequence[Compared],
    holds: float | None,
    fails: float | None,
) -> Judged:
    """A claim whose rows have seeds in common; `holds` and `fails` are adjusted, none where it was not tested."""
    verdict, p_value = "inconclusive", holds
    if holds is not None and holds <= LEVEL:
        verdict = "reproduced"
    elif fails is not None and fails <= LEVEL:
        verdict, p_value = "contradicted", fails
    # The pair that decides: the one that holds least, or what speaks most against the claim.
    if verdict == "contradicted":
        deciding = min(pairs, key=lambda pair: pair.fails)
    else:
        deciding = max(pairs, key=lambda pair: pair.holds)
    confounds = list(dict.fromkeys(said for pair in pairs for said in pair.pair.confounds()))
    evidence = error_sentence(
        claim, deciding.pair, deciding.difference, len(pairs), p_value, verdict, confounds
    )
    return Judged(
        table, claim, verdict, deciding.difference, p_value, deciding.difference.n, evidence
    )


def _judge_cost(table: ResultTable, claim: Claim) -> Judged:
    """Sizes are counted, not drawn: one seed tells them exactly, but those of another network tell nothing."""
    first, second = rows_of(table, claim)
    one, other = getattr(first, SIZES[claim.figure]), getattr(second, SIZES[claim.figure])
    increase = 100 * (one / other - 1)
    assert claim.increase_pct is not None
    assert claim.margin is not None
    obstacle = cost_obstacle(table, (first, second))
    verdict = "reproduced" if abs(increase - claim.increase_pct) <= claim.margin else "contradicted"
    n = min(len(first.records), len(second.records))
    evidence = cost_sentence(claim, (one, other), increase, obstacle)
    return Judged(
        table,
        claim,
        "inconclusive" if obstacle else verdict,
        Estimate(n, increase, None),
        None,
        n,
        evidence,
    )
