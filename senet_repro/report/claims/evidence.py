"""What speaks for a verdict, in a sentence (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.config.schema import Claim
from senet_repro.report.claims.pairs import Pair
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.versions import paper_form
from senet_repro.stats.estimates import LEVEL, Estimate

FIGURES = {
    "top1_err_pct": "top-1 error",
    "top5_err_pct": "top-5 error",
    "params_m": "parameters",
    "gflops": "multiply-adds",
}


def error_sentence(
    claim: Claim,
    pair: Pair,
    difference: Estimate,
    pairs: int,
    p_value: float | None,
    verdict: str,
    confounds: Sequence[str],
) -> str:
    """The deciding pair's difference, the test of the claim, and what else differs between the rows."""
    name = f"{pair.first.name} less {pair.second.name}"
    of = f" (of {pairs} pairs of rows the one that decides)" if pairs > 1 else ""
    spread = "" if difference.half_width is None else f" ± {difference.half_width:.2f}"
    seeds = f"{difference.n} seed{'' if difference.n == 1 else 's'} in common"
    lines = [f"{name}{of}: {FIGURES[claim.figure]} {difference.mean:+.2f}{spread} points, {seeds}."]
    cited = [row.name for row in (pair.first, pair.second) if row.form is None]
    if cited:
        lines.append(f"{cited[0]} is the figure that the paper cites, taken as exact.")
    if difference.n < 2:
        lines.append("One seed has no spread: no evidence either way.")
    elif p_value is None:
        lines.append("Other rows of the claim have one seed in common: no evidence either way.")
    else:
        lines.append(f"{_test(claim, verdict)}: {p_text(p_value)} after Holm, level {LEVEL}.")
    if confounds:
        lines.append(f"The rows differ beside what is tested: {'; '.join(confounds)}.")
    return " ".join(lines)


def cost_sentence(
    claim: Claim, counts: tuple[int, int], increase: float, obstacle: str | None
) -> str:
    """The two counts and the increase beside the claimed one."""
    counted = f"{counts[0]:,} against {counts[1]:,} {FIGURES[claim.figure]}: {increase:+.2f} %"
    lines = [
        f"{counted}; the paper has {claim.increase_pct:+g} %, taken with ± {claim.margin:g}. Counted, so no test."
    ]
    if obstacle:
        lines.append(obstacle)
    return " ".join(lines)


def cost_obstacle(table: ResultTable, rows: Sequence[ResultRow]) -> str | None:
    """Why counted sizes say nothing about the paper's; none where the networks are its own."""
    for row in rows:
        paper = paper_form(table.paper, row.paper)
        for record in row.records[:1]:
            ours = record.identity
            if ours["model"]["name"] != paper["model"]["name"]:
                return f"Counted on {ours['model']['name']}, not on the paper's {paper['model']['name']}."
            sizes = [
                (form["model"], form["data"]["classes"], form["data"]["eval_px"])
                for form in (ours, paper)
            ]
            bias = bool(ours["se"]) and ours["se"]["bias"] != paper["se"]["bias"]
            if sizes[0] != sizes[1] or bias:
                return "Counted on another form of the paper's network (options, classes, image size or SE biases)."
    return None


def caveat(table: ResultTable) -> str | None:
    """What every verdict under a protocol that is not the paper's is about; none under the paper's own."""
    if not table.departures:
        return None
    what = "a proxy" if table.stands_for else "a changed protocol"
    return f"Verdicts on {what} are about it and not about the paper's experiment: {', '.join(table.departures)}."


def _test(claim: Claim, verdict: str) -> str:
    if claim.kind == "lower":
        return f"One-sided paired t{' for the opposite' if verdict == 'contradicted' else ''}"
    if verdict == "contradicted":
        return f"Paired t for a difference beyond {claim.margin:g} points"
    return f"TOST within {claim.margin:g} points"


def p_text(value: float) -> str:
    """A p value as it is written."""
    return f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"
