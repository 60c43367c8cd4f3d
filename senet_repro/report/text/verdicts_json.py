"""Verdicts as JSON (report floor)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from senet_repro.config.schema import Claim, PaperTable
from senet_repro.report.claims.judge import Judged, compare_order
from senet_repro.report.claims.kinds import find_paper_difference, read_claim
from senet_repro.report.claims.words import NOT_RUN
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.image_evidence import collect_image_evidence
from senet_repro.report.text.pooled import collect_pooled
from senet_repro.report.text.verdicts import Verdicts


def format_verdicts_json(found: Verdicts, studies: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Return the same as data: tables with their claims, the counts, and the verdicts of each kind of study."""
    data = [_collect_table(table, judged) for table, judged in found.tables]
    data += [_collect_not_run(paper) for paper in found.without_records]
    counts = {standing.name.lower(): each for standing, each in found.counts_by_standing.items()}
    return json.dumps(
        {
            "tables": data,
            "counts": counts,
            "claims_without_records": found.claims_without_records,
            "counts_in_report": found.counts_in_report,
            **studies,
        },
        indent=2,
    )


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
            "reported_runs": {},
            "evidence": "No records.",
        }
        for claim in paper.claims
    ]
    return {"table": paper.name, "number": paper.number, "claims": claims}


def _collect_judged(one: Judged) -> dict[str, Any]:
    return {
        **_collect_claim(one.table.paper, one.claim),
        "paper_difference": one.paper_difference,
        "verdict": one.verdict,
        "verdict_in_report": one.verdict_in_report,
        "provisos": one.provisos if one.is_provisional else [],
        "seeds": asdict(one.seeds) if one.seeds else None,
        "difference": asdict(one.difference) if one.difference else None,
        "measured_against": asdict(one.yardstick) if one.yardstick else None,
        "p_value": one.p_value,
        "n": one.n,
        "reported_runs": one.reported,
        "evidence": one.evidence,
    }


def _collect_claim(paper: PaperTable, claim: Claim) -> dict[str, Any]:
    kind = read_claim(paper, claim)
    return {
        **asdict(claim),
        "figure": kind.figure_name,
        "paper_difference": find_paper_difference(kind),
    }
