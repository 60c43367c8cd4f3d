"""The notes below a table on whose runs it holds (report floor)."""

from __future__ import annotations

from collections.abc import Sequence

from senet_repro.core.wording import count_noun
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    choose_value_spec,
    format_number,
)
from senet_repro.report.tables.planned_seeds import name_seeds
from senet_repro.results.metrics import Metric
from senet_repro.results.reported import ReportedRun, count_origins, mark_code

CAUTION = (
    "Figures that others reported were checked in form (hashes, plan, errors recomputed from outcomes) "
    "and not trained here."
)
"""The sentence that a reader has to know of every figure that is not ours."""


def list_origin_notes(table: ResultTable) -> list[str]:
    """Return whose runs a table holds, by row, and how far re-run ones agree; nothing where all are ours."""
    if not table.reported:
        return []
    notes = [_count_runs(table)]
    for name, runs in count_origins([run for run in table.reported if run.counts]).items():
        rows = _name_rows(table, runs)
        notes.append(f"Reported by {name}: {'; '.join(rows)}.")
    if any(run.counts for run in table.reported):
        notes.append(CAUTION)
    notes += _compare_reruns(table)
    notes += _list_uncounted(table)
    return notes


def list_figures(run: ReportedRun, metric: Metric) -> list[str]:
    """Return the reported figure, ours, and how far theirs is above ours; an empty text for each that is missing."""
    theirs = run.record.metrics.get(metric.name)
    own = difference = None
    if run.ours is not None:
        own = run.ours.metrics.get(metric.name)
    if own is not None and theirs is not None:
        difference = theirs - own
    spec = choose_value_spec(metric)
    return [
        format_number(theirs, spec),
        format_number(own, spec),
        format_number(difference, choose_difference_spec(metric)),
    ]


def _count_runs(table: ResultTable) -> str:
    """Return how many of a table's runs are ours, re-run by us, and reported, each by whom."""
    runs = {
        (record.run_key, record.seed): record for row in _list_rows(table) for record in row.records
    }
    reruns = {
        (run.record.run_key, run.record.seed) for run in table.reported if run.ours is not None
    }
    reported = count_origins([run for run in table.reported if run.counts])
    own = sum(record.origin is None for record in runs.values())
    parts = [f"{own} ours"]
    if reruns:
        parts[0] += f", {len(reruns)} of them re-run by us, since others report them, too"
    parts += [f"{len(theirs)} reported by {name}" for name, theirs in reported.items()]
    return f"By origin, of {count_noun(len(runs), 'run')}: {'; '.join(parts)}."


def _name_rows(table: ResultTable, runs: Sequence[ReportedRun]) -> list[str]:
    """Return the rows that hold some runs, each with the seeds of these and what is not known of their code."""
    lines = []
    for row in _list_rows(table):
        own = [run for run in runs if _is_of_row(run, row)]
        if not own:
            continue
        marks = dict.fromkeys(mark for run in own if (mark := mark_code(run.record)))
        seeds = name_seeds(sorted(run.record.seed for run in own))
        lines.append(f"{row.name} ({', '.join([seeds, *marks])})")
    return lines


def _list_rows(table: ResultTable) -> list[ResultRow]:
    """Return the rows of a table, and those of others that its claims need."""
    return [*table.rows, *table.beside]


def _is_of_row(run: ReportedRun, row: ResultRow) -> bool:
    keys = {row.run_key, *(record.run_key for record in row.records)}
    return run.record.run_key in keys


def _compare_reruns(table: ResultTable) -> list[str]:
    """Return a note with each figure that was reported and re-run by us; ours counts."""
    metric = table.metrics[0]
    compared = []
    for row, run in _pair_with_rows(table):
        if run.ours is not None:
            theirs, own, difference = list_figures(run, metric)
            figures = f"ours {own}, that of {run.origin} {theirs} ({difference})"
            compared.append(f"{row.name}, seed {run.record.seed}: {figures}{_add_reason(run)}")
    if not compared:
        return []
    return [f"Re-run by us, so that ours counts ({metric.heading}): {'; '.join(compared)}."]


def _list_uncounted(table: ResultTable) -> list[str]:
    """Return a note with each figure that was reported and counts for nothing, and why."""
    metric = table.metrics[0]
    shown = []
    for row, run in _pair_with_rows(table):
        if run.ours is None and not run.counts:
            figure = f"{list_figures(run, metric)[0]} of {run.origin}"
            shown.append(f"{row.name}, seed {run.record.seed}: {figure}{_add_reason(run)}")
    if not shown:
        return []
    return [f"Reported and not counted ({metric.heading}): {'; '.join(shown)}."]


def _add_reason(run: ReportedRun) -> str:
    if run.why_not is None:
        return ""
    return f", {run.why_not}"


def _pair_with_rows(table: ResultTable) -> list[tuple[ResultRow, ReportedRun]]:
    """Return the reported runs of each row with it, by seed."""
    pairs = []
    for row in _list_rows(table):
        for run in sorted(table.reported, key=lambda run: (run.record.seed, run.origin)):
            if _is_of_row(run, row):
                pairs.append((row, run))
    return pairs
