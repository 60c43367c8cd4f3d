"""The verdicts of a study in words: a line for each claim with its figure, border and p value (report floor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from senet_repro.config.studies import StudyClaim
from senet_repro.report.claims.borders import BorderVerdict
from senet_repro.report.tables.numbers import format_interval, format_p_value
from senet_repro.report.text.markdown import align_columns, escape_markdown

HEADER = ("claim", "section", "verdict", "paper", "ours", "border", "p")
CONJECTURE = "conjecture"


def format_border_verdicts(verdicts: Sequence[BorderVerdict]) -> str:
    """Return the verdicts as a Markdown table, and below it why each border lies where it does."""
    lines = [list(HEADER)]
    for one in verdicts:
        claim, *others = list_verdict_cells(one)
        lines.append([escape_markdown(claim), *others])
    reasons = []
    for one in verdicts:
        reason = f"{name_claim(one.claim)}: {explain_border(one)}"
        reasons.append(f"- {escape_markdown(reason)}")
    return f"{align_columns(lines)}\n\n" + "\n".join(reasons)


def list_verdict_cells(one: BorderVerdict) -> list[str]:
    """Return the cells of a verdict, in the order of `HEADER`."""
    claim = one.claim
    published = "" if claim.published is None else f"{claim.published:g}"
    p_value = "" if one.p_value is None else format_p_value(one.p_value)
    ours = format_interval(one.estimate, ".3f")
    return [
        name_claim(claim),
        claim.section,
        one.verdict,
        published,
        ours,
        describe_border(claim),
        p_value,
    ]


def name_claim(claim: StudyClaim) -> str:
    """Return what a claim says, marked where the paper supposes it and shows no figure."""
    return f"{claim.says} ({CONJECTURE})" if claim.is_conjecture else claim.says


def describe_border(claim: StudyClaim) -> str:
    """Return where the figure of a claim has to lie, such as `≥ 0.9`."""
    if claim.at_most is None:
        return f"≥ {claim.at_least:g}"
    if claim.at_least is None:
        return f"≤ {claim.at_most:g}"
    return f"{claim.at_least:g} to {claim.at_most:g}"


def explain_border(one: BorderVerdict) -> str:
    """Return where the figure of a claim has to lie and why, and what kept it from being tested, if anything did."""
    return f"{describe_border(one.claim)}, because {one.claim.because}. {one.obstacle}".rstrip()


def collect_border_verdicts(verdicts: Sequence[BorderVerdict]) -> list[Mapping[str, Any]]:
    """Return the verdicts as plain values, as JSON holds them."""
    return [
        {
            "section": one.claim.section,
            "claim": one.claim.says,
            "is_conjecture": one.claim.is_conjecture,
            "figure": one.claim.figure,
            "published": one.claim.published,
            "at_least": one.claim.at_least,
            "at_most": one.claim.at_most,
            "verdict": one.verdict,
            "ours": one.estimate and one.estimate.mean,
            "half_width": one.estimate and one.estimate.half_width,
            "n": one.estimate and one.estimate.n,
            "p": one.p_value,
            "obstacle": one.obstacle,
        }
        for one in verdicts
    ]
