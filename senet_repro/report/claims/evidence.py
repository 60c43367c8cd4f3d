"""The sentences that speak for a verdict (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.config.paper_tables import paper_protocol
from senet_repro.report.claims.kinds import Cost, MetricClaim
from senet_repro.report.claims.pairs import Pair
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    count_seeds,
    format_interval,
    format_p_value,
)
from senet_repro.report.tables.protocols import Protocol
from senet_repro.report.tables.standing import Standing
from senet_repro.results.record import Record
from senet_repro.stats.estimates import LEVEL, Estimate


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of comparing the rows of a claim."""

    pair: Pair  # the one that decides
    difference: Estimate  # of that pair
    pairs: int  # of the claim
    p_value: float | None  # adjusted; None where the claim was not tested
    is_opposite: bool  # whether the p value is of the claim's opposite
    confounds: list[str]  # in a reader's words


def describe_difference(kind: MetricClaim, finding: Finding) -> str:
    """Return the deciding pair's difference, the test of the claim, and what else differs between the rows."""
    sentences = [_describe_deciding_pair(kind, finding)]
    for row in (finding.pair.first, finding.pair.second):
        if row.is_cited:
            sentences.append(f"{row.name} is the figure that the paper cites, taken as exact.")
    # A single seed does not show how far seeds differ, so no test was made.
    if finding.difference.n < 2:
        sentences.append("One seed has no spread: no evidence either way.")
    elif finding.p_value is None:
        sentences.append("Other rows of the claim have one seed in common: no evidence either way.")
    else:
        test = kind.describe_test(finding.is_opposite)
        p_value = format_p_value(finding.p_value)
        sentences.append(f"{test}: {p_value} after Holm, level {LEVEL}.")
    if finding.confounds:
        confounds = "; ".join(finding.confounds)
        sentences.append(f"The rows differ beside what is tested: {confounds}.")
    return " ".join(sentences)


def describe_cost(
    kind: Cost, counts: tuple[int, int], increase_pct: float, obstacle: str | None
) -> str:
    """Return the two counts and their increase beside the claimed one."""
    counted = (
        f"{counts[0]:,} against {counts[1]:,} {kind.counted_size.title}: {increase_pct:+.2f} %"
    )
    claimed = f"the paper has {kind.increase_pct:+g} %, taken with ± {kind.margin:g}"
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
    names = f"{finding.pair.first.name} less {finding.pair.second.name}"
    if finding.pairs > 1:
        names += f" (of {finding.pairs} pairs of rows the one that decides)"
    metric = kind.metric
    difference = format_interval(finding.difference, choose_difference_spec(metric))
    seeds = f"{count_seeds(finding.difference.n)} in common"
    return f"{names}: {metric.title} {difference} {metric.difference_unit}, {seeds}."


def _sizing_settings(protocol: Protocol) -> tuple[dict[str, object], int, int]:
    """Return the settings that decide the size of a network, except how SE is written down."""
    return protocol["model"], protocol["data"]["classes"], protocol["data"]["eval_px"]


def _has_other_biases(record: Record, paper: Protocol) -> bool:
    """Return whether SE blocks have biases where the paper's have none, or the other way round."""
    if record.axes is None:
        return False
    return bool(record.protocol["se"]["bias"] != paper["se"]["bias"])
