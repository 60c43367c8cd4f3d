"""The notes below a table on whose runs it holds (report floor)."""

from __future__ import annotations

from senet_repro.core.wording import count_noun
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    choose_value_spec,
    format_number,
)
from senet_repro.report.tables.origins import count_reported, find_run_keys
from senet_repro.report.tables.planned_seeds import name_seeds
from senet_repro.results.metrics import Metric
from senet_repro.results.reported import ReportedRun, mark_code

CAUTION = (
    "Figures that others reported were checked in form (hashes, plan, errors recomputed from outcomes) "
    "and not trained here."
)
"""The sentence that a reader has to know of every figure that is not ours."""


def list_origin_notes(table: ResultTable) -> list[str]:
    """Return whose runs a table holds, by row, and how far re-run ones agree; nothing where all are ours."""
    if not table.reported:
        return []
    notes = [_describe_counts(table)]
    origins = count_reported(_list_rows(table))
    for name in origins:
        notes.append(f"Reported by {name}: {'; '.join(_name_rows(table, name))}.")
    if origins:
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


def _describe_counts(table: ResultTable) -> str:
    """Return how many of a table's runs are ours, re-run by us, and reported, each by whom."""
    rows = _list_rows(table)
    # Two rows may be the same run, which counts once.
    ours = set()
    for row in rows:
        for record in row.records:
            if record.origin is None:
                ours.add((record.run_key, record.seed))
    reported = count_reported(rows)
    own = f"{len(ours)} ours"
    reruns = {(run.record.run_key, run.record.seed) for run in table.reported} & ours
    if reruns:
        own += f", {len(reruns)} of them re-run by us, since others report them, too"
    parts = [own, *(f"{count} reported by {name}" for name, count in reported.items())]
    runs = count_noun(len(ours) + sum(reported.values()), "run")
    return f"By origin, of {runs}: {'; '.join(parts)}."


def _name_rows(table: ResultTable, origin: str) -> list[str]:
    """Return the rows that hold runs of an origin, each with the seeds of these and what is not known of their code."""
    lines = []
    for row in _list_rows(table):
        own = [record for record in row.records if record.origin == origin]
        if not own:
            continue
        words = [name_seeds(sorted(record.seed for record in own))]
        for record in own:
            mark = mark_code(record)
            if mark is not None and mark not in words:
                words.append(mark)
        lines.append(f"{row.name} ({', '.join(words)})")
    return lines


def _list_rows(table: ResultTable) -> list[ResultRow]:
    """Return the rows of a table, and those of others that its claims need."""
    return [*table.rows, *table.beside]


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
    by_seed = sorted(table.reported, key=lambda run: (run.record.seed, run.origin))
    for row in _list_rows(table):
        keys = find_run_keys(row)
        pairs += [(row, run) for run in by_seed if run.record.run_key in keys]
    return pairs
