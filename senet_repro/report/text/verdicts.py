"""Verdicts as Markdown and JSON (report floor)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from senet_repro.config.paper_tables import label_table
from senet_repro.config.schema import Claim, PaperTable
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.evidence import caution_verdicts
from senet_repro.report.claims.judge import Judged, compare_order, judge_together
from senet_repro.report.claims.kinds import ClaimKind, read_claim
from senet_repro.report.claims.words import NOT_RUN, VERDICTS
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import count_seeds, end_plural, format_p_value
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.image_evidence import (
    collect_image_evidence,
    format_image_evidence,
)
from senet_repro.report.text.markdown import align_columns
from senet_repro.report.text.notes import format_distinctions, format_heading
from senet_repro.report.text.pooled import collect_pooled, format_pooled
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import LEVEL
from senet_repro.stats.ranks import RankAgreement

HEADER = ("claim", "section", "verdict", "paper", "ours", "p", "n")


_PLACES = {
    Standing.PAPERS_OWN: "under the paper's protocol",
    Standing.CHANGED: "under a changed protocol",
    Standing.PROXY: "on a proxy",
}
"""Where claims were judged, by the standing of their table."""


@dataclass(frozen=True)
class Verdicts:
    """Every claim of the tables asked for."""

    tables: list[tuple[ResultTable, list[Judged]]]
    without_records: list[PaperTable]

    @property
    def counts_by_standing(self) -> dict[Standing, dict[str, int]]:
        """Return how many claims have each verdict, apart for the paper's protocol, a changed one, and a proxy.

        Those of a table under two protocols count twice; standings without a table are left out.
        """
        counted: dict[Standing, dict[str, int]] = {}
        for standing in Standing:
            judged = self.list_judged(standing)
            if judged:
                counted[standing] = _count_verdicts(one.verdict for one in judged)
        return counted

    @property
    def counts_in_report(self) -> dict[str, int]:
        """Return how many claims of all tables have each verdict at the level of the whole report."""
        return _count_verdicts(one.verdict_in_report for _, judged in self.tables for one in judged)

    @property
    def claims_without_records(self) -> int:
        """Return how many claims are of tables without records."""
        return sum(len(paper.claims) for paper in self.without_records)

    def list_judged(self, standing: Standing) -> list[Judged]:
        """Return the verdicts on all tables of a standing."""
        found = []
        for table, judged in self.tables:
            if table.standing == standing:
                found += judged
        return found


def judge_tables(tables: Sequence[ResultTable], papers: Sequence[PaperTable]) -> Verdicts:
    """Return the verdicts on the tables there are, and which of the paper's tables have no record."""
    present = {table.paper.name for table in tables}
    judged = list(zip(tables, judge_together(tables), strict=True))
    return Verdicts(judged, [paper for paper in papers if paper.name not in present])


def _count_verdicts(verdicts: Iterable[str]) -> dict[str, int]:
    counts = Counter(verdicts)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def find_paper_difference(kind: ClaimKind) -> float | None:
    """Return the paper's own difference of a claim's rows, in percent for a cost; None where a figure is missing."""
    rows = {**kind.paper.beside, **kind.paper.rows}
    figures = []
    for name in kind.claim.rows:
        figure = rows[name].published(kind.figure_name)
        if figure is None:
            return None
        figures.append(figure)
    return kind.compare_figures(figures)


def format_verdicts(found: Verdicts, list_not_run: bool) -> str:
    """Return a table and its evidence for each table and protocol, then how many claims have which verdict."""
    parts = [_format_table(table, judged) for table, judged in found.tables]
    if list_not_run:
        parts += [_format_not_run(paper) for paper in found.without_records]
    return "\n\n".join([*parts, summarize_verdicts(found)])


def summarize_verdicts(found: Verdicts) -> str:
    """Return how many claims have which verdict, in a line for each standing, and what holds for the whole report."""
    lines = []
    for standing, counts in found.counts_by_standing.items():
        tally = tally_verdicts(counts)
        provisional = sum(one.is_provisional for one in found.list_judged(standing))
        if provisional:
            tally += f"; {provisional} of them provisional"
        lines.append(f"{_describe_count(sum(counts.values()))} {_PLACES[standing]}: {tally}.")
    without = found.claims_without_records
    if without:
        lines.append(f"{_describe_count(without)} of tables without records: {without} {NOT_RUN}.")
    lines.append(describe_family([judged for _, judged in found.tables]))
    return "\n".join(line for line in lines if line)


def tally_verdicts(counts: Mapping[str, int]) -> str:
    """Return how often each verdict was given, those left out that never were."""
    given = [f"{number} {verdict}" for verdict, number in counts.items() if number]
    return ", ".join(given) or "none"


def describe_family(judged: Sequence[Sequence[Judged]]) -> str:
    """Return what the verdicts on several tables are at a level that all share; nothing for a single table."""
    if len(judged) < 2:
        return ""
    counts = _count_verdicts(one.verdict_in_report for of_table in judged for one in of_table)
    return (
        f"All {len(judged)} tables as one family of tests, in which any claim is called reproduced or contradicted "
        f"by chance in at most {100 * LEVEL:g} % of reports: {tally_verdicts(counts)}."
    )


def _describe_count(claims: int) -> str:
    return f"{claims} claim{end_plural(claims)}"


def format_verdicts_json(found: Verdicts) -> str:
    """Return the same as data: tables with their claims, and the counts."""
    data = [_collect_table(table, judged) for table, judged in found.tables]
    data += [_collect_not_run(paper) for paper in found.without_records]
    counts = {standing.name.lower(): each for standing, each in found.counts_by_standing.items()}
    return json.dumps(
        {
            "tables": data,
            "counts": counts,
            "claims_without_records": found.claims_without_records,
            "counts_in_report": found.counts_in_report,
        },
        indent=2,
    )


def format_verdict(one: Judged) -> str:
    """Return the verdict as it is printed, with a word where something else than chance may yet change it."""
    if one.is_provisional:
        return f"{one.verdict} (provisional)"
    return one.verdict


def describe_outcome(one: Judged) -> str:
    """Return a claim's difference in the paper and in ours with its interval, how sure it is, and over how many seeds.

    Where there is no difference, the reason is returned.
    """
    if one.difference is None:
        return one.evidence
    published = _format_published(one.kind)
    parts = []
    if published:
        parts = [f"Paper {published}"]
    parts.append(f"ours {one.kind.format_ours(one.difference)}{_name_unit(one.kind)}")
    if isinstance(one.kind, Cost):
        parts.append("counted, so no test")
        return f"{', '.join(parts)}."
    if one.p_value is not None:
        parts.append(format_p_value(one.p_value))
    parts.append(count_seeds(one.n))
    return f"{', '.join(parts)}."


def _name_unit(kind: ClaimKind) -> str:
    """Return the unit of our difference, behind a blank; a cost is printed with its own."""
    if isinstance(kind, Cost):
        return ""
    return f" {kind.metric.difference_unit}"


def describe_order(agreement: RankAgreement, metric: Metric) -> str:
    """Return whether our rows come in the paper's order, and how likely that is by chance."""
    how = "of a sample of orders"
    if agreement.exact:
        how = "of all orders"
    return (
        f"Order of the {agreement.n} rows by {metric.title}: "
        f"Kendall's tau with the paper's {agreement.tau:+.2f}, "
        f"reached or exceeded by a share p = {agreement.p_value:.3f} {how}."
    )


def _format_table(table: ResultTable, judged: Sequence[Judged]) -> str:
    agreement = compare_order(table)
    parts = [
        f"### {format_heading(table)}",
        caution_verdicts(table),
        format_distinctions(table),
        align_columns([HEADER, *map(_list_cells, judged)]),
        "\n".join(f"- {one.claim.says}: {one.evidence}" for one in judged),
        _explain_provisional(judged),
        format_pooled(table),
        format_image_evidence(table),
        describe_order(agreement, table.metrics[0]) if agreement else None,
    ]
    return "\n\n".join(part for part in parts if part)


def _explain_provisional(judged: Sequence[Judged]) -> str | None:
    """Return why verdicts of a table are provisional, each reason once; None where none is."""
    reasons: dict[str, None] = {}
    for one in judged:
        if one.is_provisional:
            reasons |= dict.fromkeys(one.provisos)
    if not reasons:
        return None
    return f"Provisional, since {'; '.join(reasons)}."


def _format_not_run(paper: PaperTable) -> str:
    lines: list[Sequence[str]] = [HEADER]
    for claim in paper.claims:
        published = _format_published(read_claim(paper, claim))
        lines.append((claim.says, claim.section, NOT_RUN, published, "", "", ""))
    heading = f"### {label_table(paper)}: {paper.title} (no records)"
    return f"{heading}\n\n{align_columns(lines)}"


def _list_cells(one: Judged) -> list[str]:
    return [
        one.claim.says,
        one.claim.section,
        format_verdict(one),
        _format_published(one.kind),
        one.kind.format_ours(one.difference) if one.difference else "",
        _format_p_cell(one),
        str(one.n or ""),
    ]


def _format_published(kind: ClaimKind) -> str:
    return kind.format_paper(find_paper_difference(kind))


def _format_p_cell(one: Judged) -> str:
    """Return the p value without its sign of equality, for a column headed p."""
    if one.p_value is not None:
        return format_p_value(one.p_value).removeprefix("p ").removeprefix("= ")
    # Sizes are no sample, so there is nothing to test.
    if isinstance(one.kind, Cost) and one.difference:
        return "counted"
    return ""


def _collect_table(table: ResultTable, judged: Sequence[Judged]) -> dict[str, Any]:
    agreement = compare_order(table)
    return {
        "table": table.paper.name,
        "number": table.paper.number,
        "data": table.example.protocol["data"]["name"],
        "is_paper_protocol": table.standing == Standing.PAPERS_OWN,
        "is_proxy": table.standing == Standing.PROXY,
        "departures_from_paper": table.departures,
        "rank_agreement": asdict(agreement) if agreement else None,
        "pooled": collect_pooled(table),
        "image_by_image": collect_image_evidence(table),
        "claims": [_collect_judged(one) for one in judged],
    }


def _collect_not_run(paper: PaperTable) -> dict[str, Any]:
    claims = [
        {
            **_collect_claim(paper, claim),
            "verdict": NOT_RUN,
            "verdict_in_report": NOT_RUN,
            "provisos": [],
            "seeds": None,
            "measured_against": None,
            "difference": None,
            "p_value": None,
            "n": 0,
            "evidence": "No records.",
        }
        for claim in paper.claims
    ]
    return {"table": paper.name, "number": paper.number, "claims": claims}


def _collect_judged(one: Judged) -> dict[str, Any]:
    return {
        **_collect_claim(one.table.paper, one.claim),
        "verdict": one.verdict,
        "verdict_in_report": one.verdict_in_report,
        "provisos": one.provisos if one.is_provisional else [],
        "seeds": asdict(one.seeds) if one.seeds else None,
        "difference": asdict(one.difference) if one.difference else None,
        "measured_against": asdict(one.yardstick) if one.yardstick else None,
        "p_value": one.p_value,
        "n": one.n,
        "evidence": one.evidence,
    }


def _collect_claim(paper: PaperTable, claim: Claim) -> dict[str, Any]:
    kind = read_claim(paper, claim)
    return {
        **asdict(claim),
        "figure": kind.figure_name,
        "paper_difference": find_paper_difference(kind),
    }
