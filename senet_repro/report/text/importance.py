"""The importance of channels in words: areas between curves, the cut network, verdicts; and as CSV (report floor)."""

from __future__ import annotations

import csv
import io

from senet_repro.config.importance import MEASURES, RANDOM
from senet_repro.report.claims.borders import BorderVerdict
from senet_repro.report.tables.importance import Finding, describe_scope
from senet_repro.report.tables.numbers import count_seeds, format_interval
from senet_repro.report.text.borders import format_border_verdicts
from senet_repro.report.text.markdown import align_columns, escape_markdown
from senet_repro.results.importance import Importance

CSV_HEADER = (
    "network",
    "seed",
    "scope",
    "measure",
    "ranking",
    "share_pct",
    "top1_err_pct",
)


def format_importance(finding: Finding, verdicts: list[BorderVerdict]) -> str:
    """Return the areas of a network's curves as a table, with what was measured above and below, and the verdicts."""
    parts = [
        escape_markdown(format_importance_heading(finding)),
        align_columns(list_area_cells(finding)),
        *map(escape_markdown, list_importance_notes(finding)),
        format_border_verdicts(verdicts),
    ]
    return "\n\n".join(parts)


def format_importance_heading(finding: Finding) -> str:
    """Return whose channels were masked, and the error without a mask."""
    return (
        f"{finding.name}, {count_seeds(len(finding.seeds))}, on {finding.first.data['title']}: top-1 error of "
        f"{format_interval(finding.estimate_unmasked())} % without a mask"
    )


def list_area_cells(finding: Finding) -> list[list[str]]:
    """Return how far each measure's error lies below that of random masks, or else the errors themselves."""
    has_random = RANDOM in finding.list_measures()
    measures = [each for each in finding.list_measures() if each != RANDOM or not has_random]
    lines = [["masked in", *measures]]
    for scope in finding.list_scopes():
        cells = [describe_scope(scope)]
        for measure in measures:
            if has_random:
                area = finding.estimate_area(scope, measure, RANDOM)
                cells.append(format_interval(area, "+z.2f"))
            else:
                errors = finding.estimate_errors(scope, measure)
                cells.append(f"{sum(one.mean for one in errors) / len(errors):.2f}")
        lines.append(cells)
    return lines


def list_importance_notes(finding: Finding) -> list[str]:
    """Return what the figures are, what departs from the usual way, and what was cut out of each seed."""
    first = finding.first
    shares = f"{first.shares_pct[0]} to {first.shares_pct[-1]} %"
    figures = f"Points of top-1 error by which a ranking lies below random ones, as a mean over {shares} of channels."
    if RANDOM not in finding.list_measures():
        figures = f"Top-1 error in percent, as a mean over {shares} of channels."
    notes = [
        f"{figures} In each block the least important are masked, as if they were not there; nothing is trained.",
        f"Importance was measured on {first.measured_images:,} evaluation images, and the error on "
        f"{first.scored_images:,} others, each between two of them.",
    ]
    ranked = [f"{each} ({MEASURES[each]})" for each in finding.list_measures()]
    notes.append(f"Ranked by {', '.join(ranked)}.")
    notes += first.notes
    return notes + [_describe_cut(one) for one in finding.seeds if one.cut]


def _describe_cut(one: Importance) -> str:
    """Return in sentences what cutting channels out made of a network."""
    cut = one.cut
    assert cut is not None
    params, macs = (_compare_counts(*cut[name]) for name in ("params", "macs"))
    seed = f"Seed {one.run['seed']}" if one.run else "The network"
    return (
        f"{seed}, with {cut['share_pct']} % of the gated channels cut out by {cut['measure']}: {params} parameters and "
        f"{macs} multiply-adds. A batch of {cut['batch']} takes {cut['ms'][0]:.1f} ms of {cut['ms'][1]:.1f} ms, "
        f"{cut['ratio']:.2f} of the time ({cut['lowest']:.2f} to {cut['highest']:.2f} over {cut['rounds']} rounds in "
        f"turn). Its logits are those of the masked network within {cut['difference']:.0e} of the largest, in float64."
    )


def _compare_counts(cut: int, whole: int) -> str:
    return f"{cut:,} of {whole:,} ({cut / whole:.1%})"


def format_importance_csv(finding: Finding) -> str:
    """Return every error of every seed as CSV: a line for each scope, measure, ranking and share, 0 being no mask."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for one in finding.seeds:
        seed = one.run["seed"] if one.run else ""
        writer.writerow([finding.name, seed, "", "", "", 0, one.unmasked_err_pct])
        for scope, by_measure in one.errors_pct.items():
            for measure, rankings in by_measure.items():
                for number, errors in enumerate(rankings):
                    for share, error in zip(one.shares_pct, errors, strict=True):
                        writer.writerow([finding.name, seed, scope, measure, number, share, error])
    return text.getvalue()
