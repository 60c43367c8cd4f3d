"""Verdicts as Markdown and JSON (report floor)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from senet_repro.config.paper_tables import label
from senet_repro.config.schema import Claim, PaperTable
from senet_repro.report.claims.evidence import caveat, p_text
from senet_repro.report.claims.judge import SIZES, VERDICTS, Judged, judge, ranks
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.text.markdown import aligned
from senet_repro.report.text.notes import heading
from senet_repro.stats.ranks import RankAgreement

HEADER = ("claim", "section", "verdict", "paper", "ours", "p", "n")


@dataclass(frozen=True)
class Verdicts:
    """Every claim of the tables asked for."""

    tables: list[tuple[ResultTable, list[Judged]]]
    without_records: list[PaperTable]

    @property
    def counts(self) -> dict[str, int]:
        """How many claims have each verdict; those of a table under two protocols count twice."""
        found = Counter(one.verdict for _, judged in self.tables for one in judged)
        found["not run"] += sum(len(paper.claims) for paper in self.without_records)
        return {verdict: found[verdict] for verdict in VERDICTS}


def verdicts(tables: Sequence[ResultTable], papers: Sequence[PaperTable]) -> Verdicts:
    """The verdicts on the tables there are, and which of the paper's tables have no record."""
    present = {table.paper.name for table in tables}
    return Verdicts(
        [(table, judge(table)) for table in tables], [p for p in papers if p.name not in present]
    )


def paper_difference(paper: PaperTable, claim: Claim) -> float | None:
    """What the paper prints for a claim: first figure less last, of an equivalence the widest, of a cost in percent."""
    rows = {**paper.beside, **paper.rows}
    published = [rows[name].published(claim.figure) for name in claim.rows]
    figures = [figure for figure in published if figure is not None]
    if len(figures) < len(published):
        return None
    if claim.kind == "cost":
        return 100 * float(figures[0] / figures[-1] - 1)
    return float(
        max(figures) - min(figures)
        if len(figures) > 2 and claim.kind == "equivalent"
        else figures[0] - figures[-1]
    )


def markdown(found: Verdicts, list_not_run: bool) -> str:
    """A table and its evidence for each table and protocol, then how many claims have which verdict."""
    parts = [_table(table, judged) for table, judged in found.tables]
    if list_not_run:
        parts += [_not_run(paper) for paper in found.without_records]
    return "\n\n".join([*parts, summary(found)])


def summary(found: Verdicts) -> str:
    """How many claims have which verdict, in a sentence."""
    counts = found.counts
    said = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    unrun = sum(len(paper.claims) for paper in found.without_records)
    beside = f", {unrun} of them of tables without records" if unrun else ""
    return f"{sum(counts.values())} claims: {said}{beside}."


def json_text(found: Verdicts) -> str:
    """The same as data: tables with their claims, and the counts."""
    data = [_table_data(table, judged) for table, judged in found.tables]
    data += [
        {
            "table": paper.name,
            "number": paper.number,
            "claims": [_claim_data(paper, claim) for claim in paper.claims],
        }
        for paper in found.without_records
    ]
    return json.dumps({"tables": data, "counts": found.counts}, indent=2)


def rank_sentence(agreement: RankAgreement) -> str:
    """Whether our rows come in the paper's order, and how likely that is by chance."""
    how = "of all orders" if agreement.exact else "of a sample of orders"
    return (
        f"Order of the {agreement.n} rows by top-1 error: Kendall's tau with the paper's {agreement.tau:+.2f}, "
        f"reached or exceeded by a share p = {agreement.p_value:.3f} {how}."
    )


def _table(table: ResultTable, judged: Sequence[Judged]) -> str:
    cells = [HEADER, *(_cells(one) for one in judged)]
    evidence = "\n".join(f"- {one.claim.says}: {one.evidence}" for one in judged)
    agreement = ranks(table)
    order = agreement and rank_sentence(agreement)
    parts = [
        f"### {heading(table)}",
        caveat(table),
        _differing(table),
        aligned(cells),
        evidence,
        order,
    ]
    return "\n\n".join(part for part in parts if part)


def _differing(table: ResultTable) -> str | None:
    if not table.distinctions:
        return None
    return f"Unlike the other tables here of its data and network: {', '.join(table.distinctions)}."


def _not_run(paper: PaperTable) -> str:
    cells = [
        HEADER,
        *(
            (claim.says, claim.section, "not run", _paper(paper, claim), "", "", "")
            for claim in paper.claims
        ),
    ]
    return "\n\n".join([f"### {label(paper)}: {paper.title} (no records)", aligned(cells)])


def _cells(one: Judged) -> tuple[str, ...]:
    unit = " %" if one.claim.kind == "cost" else ""
    ours = ""
    if one.difference:
        half = one.difference.half_width
        ours = f"{one.difference.mean:+.2f}{unit}" + ("" if half is None else f" ± {half:.2f}")
    p_value = "counted" if one.claim.kind == "cost" and one.difference else ""
    if one.p_value is not None:
        p_value = p_text(one.p_value).removeprefix("p ").removeprefix("= ")
    paper = _paper(one.table.paper, one.claim)
    return (one.claim.says, one.claim.section, one.verdict, paper, ours, p_value, str(one.n or ""))


def _paper(paper: PaperTable, claim: Claim) -> str:
    difference = paper_difference(paper, claim)
    if difference is None:
        return f"{claim.increase_pct:+g} %" if claim.increase_pct is not None else ""
    if claim.kind == "equivalent":
        return f"{abs(difference):.2f} apart"
    return f"{difference:+.2f}{' %' if claim.figure in SIZES else ''}"


def _table_data(table: ResultTable, judged: Sequence[Judged]) -> dict[str, Any]:
    agreement = ranks(table)
    return {
        "table": table.paper.name,
        "number": table.paper.number,
        "data": table.example.identity["data"]["name"],
        "is_paper_protocol": not table.departures,
        "is_proxy": table.stands_for is not None,
        "departures_from_paper": table.departures,
        "rank_agreement": agreement and asdict(agreement),
        "claims": [_claim_data(table.paper, one.claim, one) for one in judged],
    }


def _claim_data(paper: PaperTable, claim: Claim, one: Judged | None = None) -> dict[str, Any]:
    return {
        **asdict(claim),
        "paper_difference": paper_difference(paper, claim),
        "verdict": one.verdict if one else "not run",
        "difference": asdict(one.difference) if one and one.difference else None,
        "p_value": one.p_value if one else None,
        "n": one.n if one else 0,
        "evidence": one.evidence if one else "No records.",
    }
