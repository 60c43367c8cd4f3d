"""The sentences that speak for a verdict (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.config.paper_tables import paper_protocol
from senet_repro.report.claims.comparisons import Comparison, MetricClaim
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.words import SMALLER
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    count_seeds,
    format_interval,
    format_p_value,
)
from senet_repro.report.tables.origins import rest_on_reported
from senet_repro.report.tables.planned_seeds import PlannedSeeds
from senet_repro.report.tables.protocols import Protocol
from senet_repro.report.tables.standing import Standing
from senet_repro.results.record import Record
from senet_repro.stats.estimates import LEVEL


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of comparing the rows of a claim."""

    comparison: Comparison  # of the pair that decides
    pairs: int  # of the claim
    verdict: str
    p_value: float | None  # adjusted; None where the claim was not tested
    seeds: PlannedSeeds  # of all rows of the claim
    confounds: list[str]  # in a reader's words
    reported: dict[str, int]  # how many of its runs others reported, by whom


def describe_finding(kind: MetricClaim, finding: Finding) -> list[str]:
    """Return sentences on the deciding pair's difference, its test and yardstick, the seeds, and what else differs."""
    pair = finding.comparison.pair
    sentences = [_describe_deciding_pair(kind, finding)]
    for row in (pair.first, pair.second):
        if row.is_cited:
            sentences.append(f"{row.name} is the figure that the paper cites, taken as exact.")
    sentences.append(_describe_test(kind, finding))
    sentences.append(kind.describe_yardstick(finding.comparison))
    sentences.append(finding.seeds.describe())
    sentences.append(rest_on_reported(finding.reported))
    if finding.confounds:
        confounds = "; ".join(finding.confounds)
        sentences.append(f"The rows differ, or may differ, beside what is tested: {confounds}.")
    return [sentence for sentence in sentences if sentence]


def _describe_test(kind: MetricClaim, finding: Finding) -> str:
    """Return the test with its p value, or why none was made."""
    if finding.comparison.difference.n < 2:
        return "One seed has no spread: no evidence either way."
    if finding.p_value is None:
        return "Other rows of the claim have one seed in common: no evidence either way."
    test = kind.describe_test(finding.comparison, finding.verdict)
    p_value = format_p_value(finding.p_value)
    looks = (
        " and a correction for looking after each seed"
        if finding.seeds.grows_from is not None
        else ""
    )
    # The pair shown is the smallest, and the p is that of the pair which is the least sure.
    of_pairs = " for all pairs" if finding.verdict == SMALLER and finding.pairs > 1 else ""
    return f"{test}: {p_value}{of_pairs} after Holm{looks}, level {LEVEL}."


def describe_cost(
    kind: Cost, counts: tuple[int, int], increase_pct: float, obstacle: str | None
) -> str:
    """Return the two counts and their increase beside the claimed one."""
    counted = (
        f"{counts[0]:,} against {counts[1]:,} {kind.counted_size.title}: {increase_pct:+.2f} %"
    )
    claimed = (
        f"the paper has {kind.increase_pct:+g} %, and up to {kind.margin:g} more or less would do"
    )
    sentence = f"{counted}; {claimed}. Counted, so no test."
    return f"{sentence} {obstacle}" if obstacle else sentence


def explain_cost_obstacle(table: ResultTable, rows: Sequence[ResultRow]) -> str | None:
    """Return why counted sizes say nothing about the paper's; None where the networks are its own."""
    for row in rows:
        if not row.records:
            continue
        # All seeds of a row train the same network.
        record = row.records[0]
        ours = record.protocol
        paper = paper_protocol(table.paper, row.paper)
        if ours["model"]["name"] != paper["model"]["name"]:
            return (
                f"Counted on {ours['model']['name']}, not on the paper's {paper['model']['name']}."
            )
        if _sizing_settings(ours) != _sizing_settings(paper) or _has_other_biases(record, paper):
            return "Counted on another form of the paper's network (options, classes, image size or SE biases)."
    return None


def caution_verdicts(table: ResultTable) -> str | None:
    """Return what verdicts are about under a protocol that is not the paper's; None under the paper's own."""
    if table.standing == Standing.PAPERS_OWN:
        return None
    protocol = "a proxy" if table.standing == Standing.PROXY else "a changed protocol"
    departures = ", ".join(table.departures)
    return (
        f"Verdicts on {protocol} are about it and not about the paper's experiment: {departures}."
    )


def _describe_deciding_pair(kind: MetricClaim, finding: Finding) -> str:
    pair, difference = finding.comparison.pair, finding.comparison.difference
    names = " minus ".join(pair.names)
    if finding.pairs > 1:
        names += f" (of {finding.pairs} pairs of rows the one that decides)"
    metric = kind.metric
    interval = format_interval(difference, choose_difference_spec(metric))
    sample = f"{count_seeds(difference.n)} in common"
    if difference.images is not None:
        sample += f", over {difference.images:,} images"
    return f"{names}: {metric.title} {interval} {metric.difference_unit}, {sample}."


def _sizing_settings(protocol: Protocol) -> tuple[dict[str, object], int, int]:
    """Return the settings that decide the size of a network, except how SE is written down."""
    return protocol["model"], protocol["data"]["classes"], protocol["data"]["eval_px"]


def _has_other_biases(record: Record, paper: Protocol) -> bool:
    """Return whether SE blocks have biases where the paper's have none, or the other way round."""
    if record.axes is None:
        return False
    return bool(record.protocol["se"]["bias"] != paper["se"]["bias"])
