"""The verdicts on everything for which nothing was trained: costs, gates, importance (report floor)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from senet_repro.report.tables.gate_studies import judge_network
from senet_repro.report.tables.importance import judge_importance
from senet_repro.report.tables.studies import Studies
from senet_repro.report.text.borders import collect_border_verdicts, format_border_verdicts
from senet_repro.report.text.costs import SECTION as COSTS
from senet_repro.report.text.costs import collect_cost_verdicts, format_cost_verdicts
from senet_repro.report.text.gate_studies import (
    collect_network,
    format_network_heading,
    list_network_notes,
)
from senet_repro.report.text.importance import format_importance_heading
from senet_repro.report.text.markdown import escape_markdown

GATES = "Section 7.2: what the gates do"
IMPORTANCE = "Section 8: channels that matter less"


def format_study_verdicts(studies: Studies) -> list[str]:
    """Return the verdicts of each kind of study under a heading of its own; nothing of a kind that is not there."""
    parts = []
    costs = format_cost_verdicts(studies.costs)
    if costs:
        parts += [f"## {COSTS}", costs]
    if studies.gates:
        parts.append(f"## {GATES}")
    for network in studies.gates:
        parts.append(f"### {escape_markdown(format_network_heading(network))}")
        parts.append(format_border_verdicts(judge_network(network)))
        parts += map(escape_markdown, list_network_notes(network))
    if studies.importance:
        parts.append(f"## {IMPORTANCE}")
    for finding in studies.importance:
        parts.append(f"### {escape_markdown(format_importance_heading(finding))}")
        parts.append(format_border_verdicts(judge_importance(finding)))
    return parts


def collect_study_verdicts(studies: Studies) -> dict[str, list[Mapping[str, Any]]]:
    """Return the same as plain values, as JSON holds them."""
    importance: list[Mapping[str, Any]] = [
        {
            "network": finding.name,
            "heading": format_importance_heading(finding),
            "claims": collect_border_verdicts(judge_importance(finding)),
        }
        for finding in studies.importance
    ]
    return {
        "costs": collect_cost_verdicts(studies.costs),
        "gates": [collect_network(network, judge_network(network)) for network in studies.gates],
        "importance": importance,
    }
