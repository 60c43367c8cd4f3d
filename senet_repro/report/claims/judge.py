"""Claims of the paper judged by our records (report floor).

What a claim says of two rows is tested by t tests paired by seed, see the kinds of claims. *Reproduced* and
*contradicted* share the level: all these tests of a table make one family, whose p values Holm adjusts, so that in at
most 5 % of cases any verdict of the table is wrong in either direction. That a gain is too small to matter is a finding
of its own and makes a second such family. Of several tables the tests of all of them make one family, by which
`--strict` goes.

A claim of several pairs of rows holds where each pair does (so its p is the greatest), and fails where any does (the
least, times their number). Where a plan lets seeds be added after a look, each p is corrected for the looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from senet_repro.config.schema import Claim
from senet_repro.report.claims.claim_pairs import list_claim_confounds, pair_rows
from senet_repro.report.claims.comparisons import Comparison, MetricClaim, Yardstick
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.evidence import (
    Finding,
    describe_cost,
    describe_finding,
    explain_cost_obstacle,
)
from senet_repro.report.claims.kinds import ClaimKind, find_paper_difference, read_claim
from senet_repro.report.claims.pairs import (
    find_row,
    find_rows,
    list_gain_rows,
    list_lacking_rows,
)
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
from senet_repro.report.tables.origins import count_reported, rest_on_reported
from senet_repro.report.tables.planned_seeds import PlannedSeeds, compare_with_plan
from senet_repro.stats.estimates import LEVEL, Estimate, adjust_holm
from senet_repro.stats.looks import correct_for_looks
from senet_repro.stats.ranks import RankAgreement, rank_agreement


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim under one protocol: its verdict and the evidence for it."""

    table: ResultTable
    kind: ClaimKind  # the claim as its kind
    verdict: str  # of VERDICTS, at the level of its table
    verdict_in_report: str  # the same at the level of all tables that were judged together
    # Why a verdict may yet change for another reason than chance, in a reader's words.
    provisos: list[str] = field(default_factory=list)
    # First row less second, paired by seed; of several pairs the one that decides. Of a cost the increase in percent.
    difference: Estimate | None = None
    paper_difference: float | None  # of the same rows; None where a figure is missing
    # Adjusted within the table; of the verdict given, or of REPRODUCED where it is inconclusive.
    p_value: float | None = None
    n: int = 0  # pairs of seeds
    seeds: PlannedSeeds | None = None  # of the claim's rows; None where no test was possible
    yardstick: Yardstick | None = None  # of the difference; None where no test was possible
    lacking: list[str] = field(
        default_factory=list
    )  # rows that the claim needs and that have no records
    # How many of the runs that it rests on others reported, by whom.
    reported: dict[str, int] = field(default_factory=dict)
    sentences: list[str]  # the evidence: figures, test, n, yardstick, seeds, and whatever confounds

    @property
    def evidence(self) -> str:
        """Return the sentences that speak for the verdict."""
        return " ".join(self.sentences)

    @property
    def claim(self) -> Claim:
        """Return the claim as the paper's YAML has it."""
        return self.kind.claim

    @property
    def is_provisional(self) -> bool:
        """Return whether the verdict decides the claim, and something else than chance may yet change it."""
        return bool(self.provisos) and self.verdict not in (INCONCLUSIVE, NOT_TESTABLE, NOT_RUN)


def format_verdict(one: Judged) -> str:
    """Return the verdict as it is printed, with a word where something else than chance may yet change it."""
    if one.is_provisional:
        return f"{one.verdict} (provisional)"
    return one.verdict


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A claim about a metric that its table's records can be asked about, with the p values of what they may show.

    The p values are of this claim alone; all are None where one seed is no evidence.
    """

    table: ResultTable
    kind: MetricClaim
    comparisons: list[Comparison]  # of each pair of its rows; at least one
    seeds: PlannedSeeds
    p_holds: float | None
    p_fails: float | None
    p_nothing: float | None  # None, too, where nothing says how small a gain matters
    reported: dict[str, int]  # how many of its rows' runs others reported, by whom

    @property
    def n(self) -> int:
        """Return the seeds of the pair that has fewest."""
        return min(each.difference.n for each in self.comparisons)


@dataclass(frozen=True)
class _Adjusted:
    """The p values of a claim, adjusted within a family; None where the claim was not tested."""

    holds: float | None = None
    fails: float | None = None
    nothing: float | None = None


def judge(table: ResultTable) -> list[Judged]:
    """Return the verdict on every claim of a table, in the table's order."""
    (judged,) = judge_together([table])
    return judged


def judge_together(tables: Sequence[ResultTable]) -> list[list[Judged]]:
    """Return the verdicts on the claims of each table; all tables make the family of `verdict_in_report`."""
    examined = [_examine_claims(table) for table in tables]
    tests = [_select_tested(found) for found in examined]
    # Of each claim in this order once more, as it is decided.
    in_report = iter(_adjust_family(list(chain.from_iterable(tests))))
    judged = []
    for found, tested in zip(examined, tests, strict=True):
        in_table = iter(_adjust_family(tested))
        verdicts = []
        for one in found:
            if isinstance(one, Tested):
                one = _decide(one, next(in_table), next(in_report))
            verdicts.append(one)
        judged.append(verdicts)
    return judged


def examine(table: ResultTable, kind: ClaimKind) -> Tested | Judged:
    """Return a claim with the p values of its own, or the verdict where no test is possible or needed."""
    if all(row.is_cited for row in find_rows(table, kind.claim)):
        return _settle(table, kind, NOT_RUN, "The paper's rows are not offered here.")
    lacking = list_lacking_rows(table, kind.claim)
    if lacking:
        gap = f"No records of {', '.join(lacking)}."
        return replace(_settle(table, kind, NOT_RUN, gap), lacking=lacking)
    if isinstance(kind, Cost):
        return _judge_cost(table, kind)
    obstacle = kind.explain_obstacle(table)
    if obstacle is not None:
        return _settle(table, kind, NOT_TESTABLE, obstacle)
    comparisons = compare_rows(table, kind)
    if not comparisons:
        return _settle(table, kind, INCONCLUSIVE, "Its rows have no seed in common.")
    return _test_claim(table, kind, comparisons)


def compare_rows(table: ResultTable, kind: MetricClaim) -> list[Comparison]:
    """Return the comparisons of a claim about a metric; nothing unless all pairs have seeds in common."""
    comparisons = []
    for pair in pair_rows(table, kind):
        comparison = kind.compare(table, pair)
        if comparison is None:
            return []
        comparisons.append(comparison)
    return comparisons


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


def _examine_claims(table: ResultTable) -> list[Tested | Judged]:
    return [examine(table, read_claim(table.paper, claim)) for claim in table.paper.claims]


def _select_tested(examined: Sequence[Tested | Judged]) -> list[Tested]:
    return [one for one in examined if isinstance(one, Tested)]


def _settle(table: ResultTable, kind: ClaimKind, verdict: str, evidence: str) -> Judged:
    """Return a verdict that no test has a part in."""
    return Judged(
        table=table,
        kind=kind,
        verdict=verdict,
        verdict_in_report=verdict,
        paper_difference=find_paper_difference(kind),
        sentences=[evidence],
    )


def _test_claim(table: ResultTable, kind: MetricClaim, comparisons: Sequence[Comparison]) -> Tested:
    """Return a claim with the p values of its own, corrected for looks where its plan allows any."""
    names = dict.fromkeys([*kind.claim.rows, *list_gain_rows(table, kind.claim)])
    rows = [find_row(table, name) for name in names]
    offered = [row.all_records for row in rows if not row.is_cited]
    failed = {seed for row in rows for seed in row.failed}
    seeds = compare_with_plan(offered, table.paper.name, table.plan, table.campaign, failed)
    p_holds = p_fails = p_nothing = None
    n = min(each.difference.n for each in comparisons)
    # A single seed does not show how far seeds differ.
    if n > 1:
        p_holds = _correct(max(each.p_holds for each in comparisons), n, seeds)
        p_fails = _correct(_combine_any([each.p_fails for each in comparisons]), n, seeds)
        measured = [each.p_nothing for each in comparisons if each.p_nothing is not None]
        if len(measured) == len(comparisons):
            p_nothing = _correct(_combine_any(measured), n, seeds)
    return Tested(
        table=table,
        kind=kind,
        comparisons=list(comparisons),
        seeds=seeds,
        p_holds=p_holds,
        p_fails=p_fails,
        p_nothing=p_nothing,
        reported=count_reported(rows),
    )


def _combine_any(p_values: Sequence[float]) -> float:
    # Any pair will do, so there are as many chances to be wrong as pairs (Bonferroni).
    return min(1.0, len(p_values) * min(p_values))


def _correct(p_value: float, n: int, seeds: PlannedSeeds) -> float:
    """Return a p value that holds for however many looks at growing numbers of seeds the plan allows."""
    if seeds.grows_from is None:
        return p_value
    return correct_for_looks(p_value, n, seeds.grows_from)


def _adjust_family(tested: Sequence[Tested]) -> list[_Adjusted]:
    """Return the p values of each claim, adjusted by Holm within the family that these claims make."""
    decisive, p_holds, p_fails = [], [], []
    measured, p_nothing = [], []
    for one in tested:
        # A single seed gives neither.
        if one.p_holds is None or one.p_fails is None:
            continue
        decisive.append(one)
        p_holds.append(one.p_holds)
        p_fails.append(one.p_fails)
        if one.p_nothing is not None:
            measured.append(one)
            p_nothing.append(one.p_nothing)
    both = adjust_holm([*p_holds, *p_fails])
    nothing = adjust_holm(p_nothing)
    holds_by_claim = _match(decisive, both[: len(decisive)])
    fails_by_claim = _match(decisive, both[len(decisive) :])
    nothing_by_claim = _match(measured, nothing)
    adjusted = []
    for one in tested:
        key = id(one)
        adjusted.append(
            _Adjusted(
                holds=holds_by_claim.get(key),
                fails=fails_by_claim.get(key),
                nothing=nothing_by_claim.get(key),
            )
        )
    return adjusted


def _match(claims: Sequence[Tested], p_values: Sequence[float]) -> dict[int, float]:
    """Return the p values by the id() of their claims."""
    return {id(one): p_value for one, p_value in zip(claims, p_values, strict=True)}


def _decide(tested: Tested, in_table: _Adjusted, in_report: _Adjusted) -> Judged:
    """Return the verdict on a claim by its adjusted p values."""
    verdict, p_value = _choose_verdict(tested, in_table)
    deciding = _find_deciding(tested, verdict)
    finding = Finding(
        comparison=deciding,
        pairs=len(tested.comparisons),
        verdict=verdict,
        p_value=p_value,
        seeds=tested.seeds,
        confounds=list_claim_confounds(tested.table, tested.kind),
        reported=tested.reported,
    )
    provisos = list(tested.seeds.problems)
    if deciding.yardstick.smallest_effect is None:
        provisos.append(deciding.yardstick.because)
    return Judged(
        table=tested.table,
        kind=tested.kind,
        verdict=verdict,
        verdict_in_report=_choose_verdict(tested, in_report)[0],
        provisos=provisos,
        difference=deciding.difference,
        paper_difference=find_paper_difference(tested.kind, deciding.pair.names),
        p_value=p_value,
        n=deciding.difference.n,
        seeds=tested.seeds,
        yardstick=deciding.yardstick,
        reported=tested.reported,
        sentences=describe_finding(tested.kind, finding),
    )


def _choose_verdict(tested: Tested, adjusted: _Adjusted) -> tuple[str, float | None]:
    """Return the verdict at the level, and the p value that speaks for it, or for the claim where none does."""
    is_nothing = adjusted.nothing is not None and adjusted.nothing <= LEVEL
    if adjusted.holds is not None and adjusted.holds <= LEVEL:
        grade = tested.kind.grade_success(tested.comparisons)
        if grade != NO_EFFECT:
            return grade, adjusted.holds
        # A gain that is there and looks too small to matter: the p of its being so decides, as everywhere.
        if is_nothing:
            return (NO_EFFECT, adjusted.nothing)
        return (INCONCLUSIVE, adjusted.holds)
    if adjusted.fails is not None and adjusted.fails <= LEVEL:
        return CONTRADICTED, adjusted.fails
    if is_nothing:
        return NO_EFFECT, adjusted.nothing
    return INCONCLUSIVE, adjusted.holds


def _find_deciding(tested: Tested, verdict: str) -> Comparison:
    """Return the pair that decides: the one that holds least, or the one that speaks most for another verdict."""
    comparisons = tested.comparisons
    if verdict == SMALLER:
        return min(comparisons, key=lambda each: tested.kind.measure_greatest_share(each))
    if verdict == CONTRADICTED:
        return min(comparisons, key=lambda each: each.p_fails)
    if verdict == NO_EFFECT:
        return min(comparisons, key=lambda each: 1.0 if each.p_nothing is None else each.p_nothing)
    return max(comparisons, key=lambda each: each.p_holds)


def _judge_cost(table: ResultTable, kind: Cost) -> Judged:
    """Return the verdict on sizes: they are counted, so one seed is enough, but only on the paper's network."""
    first, second = find_rows(table, kind.claim)
    counts = _count_sizes(kind, first, second)
    increase_pct = 100 * (counts[0] / counts[1] - 1)
    verdict = CONTRADICTED
    if kind.is_met_by(increase_pct):
        verdict = REPRODUCED
    obstacle = explain_cost_obstacle(table, (first, second))
    # Counts of another network neither bear the claim out nor refute it.
    if obstacle:
        verdict = INCONCLUSIVE
    n = min(len(first.records), len(second.records))
    reported = count_reported([first, second])
    evidence = describe_cost(kind, counts, increase_pct, obstacle)
    return Judged(
        table=table,
        kind=kind,
        verdict=verdict,
        verdict_in_report=verdict,
        difference=Estimate(n, increase_pct),
        paper_difference=find_paper_difference(kind),
        n=n,
        reported=reported,
        sentences=[sentence for sentence in (evidence, rest_on_reported(reported)) if sentence],
    )


def _count_sizes(kind: Cost, first: ResultRow, second: ResultRow) -> tuple[int, int]:
    one, other = kind.counted_size.count(first), kind.counted_size.count(second)
    # A claim whose rows lack records has been settled before.
    assert one is not None
    assert other is not None
    return one, other
