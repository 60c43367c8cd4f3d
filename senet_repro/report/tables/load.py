"""Load the records that tables can be made of (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import check_names
from senet_repro.results.metrics import printed_metrics
from senet_repro.results.outcomes import (
    OUTCOMES_FILE,
    find_disagreement,
    load_outcomes,
    measure_errors,
)
from senet_repro.results.record import Record
from senet_repro.results.reported import ReportedRun
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import Results, load_results
from senet_repro.tasks import find_task, list_tasks


def load_printable_results(results_dir: Path, *, only_ours: bool = False) -> Results:
    """Return what a results folder holds; records that can stand in no table are listed as unreadable.

    With `only_ours` the records that others reported are left out.

    Such a record is of a task that is not known here, lacks the metric by which its task's tables compare, or has other
    errors than its outcomes. Outcomes that are damaged, or not the record's own, are listed too; the record then stands
    in its tables without them.

    Raises:
        ConfigError: the campaign's plan is damaged, or names a table or a claim that there is not.
    """
    results = load_results(results_dir, only_ours=only_ours)
    if results.campaign is not None:
        check_names(results_dir, results.campaign)
    return leave_out_unprintable(results)


def leave_out_unprintable(results: Results) -> Results:
    """Return results without the records that can stand in no table, as `load_printable_results` does."""
    records: list[Record] = []
    unreadable = list(results.unreadable)
    folders = dict(results.folders)
    for record in results.records:
        obstacle = find_obstacle(record)
        if obstacle is None:
            record = _leave_out_damaged_outcomes(record, unreadable)
            obstacle = _find_contradiction(record)
        if obstacle is None:
            records.append(record)
            continue
        folder = folders.pop((record.run_key, record.seed))
        unreadable.append(f"{RunFolder(folder).record_file}: {obstacle}")
    reported = _select_printable(results.reported, records, unreadable)
    return replace(
        results, records=records, unreadable=unreadable, folders=folders, reported=reported
    )


def _select_printable(
    reported: Sequence[ReportedRun], records: Sequence[Record], messages: list[str]
) -> list[ReportedRun]:
    """Return the reported runs whose records can stand beside those of tables; a message is added for each other."""
    in_tables = {(record.run_key, record.seed) for record in records}
    selected = []
    for run in reported:
        is_in_tables = (run.record.run_key, run.record.seed) in in_tables
        # One that counts was looked at among the records, and so was ours beside one that was re-run.
        if (run.counts or run.ours is not None) and not is_in_tables:
            continue
        obstacle = None
        if not run.counts:
            obstacle = _find_flaw(run.record, messages)
        if obstacle is None:
            selected.append(run)
        elif run.record.folder is not None:
            messages.append(f"{RunFolder(run.record.folder).record_file}: {obstacle}")
    return selected


def _find_flaw(record: Record, messages: list[str]) -> str | None:
    """Return why a record cannot stand beside those of tables, or None where it can."""
    obstacle = find_obstacle(record)
    if obstacle is not None:
        return obstacle
    return _find_contradiction(_leave_out_damaged_outcomes(record, messages))


def _leave_out_damaged_outcomes(record: Record, messages: list[str]) -> Record:
    """Return the record, without outcomes where they cannot be believed; then a message is added."""
    try:
        load_outcomes(record)
    except ConfigError as error:
        messages.append(str(error))
        return replace(record, outcomes=None)
    return record


def _find_contradiction(record: Record) -> str | None:
    """Return in what a record disagrees with its outcomes, or None where it agrees or has none."""
    outcomes = load_outcomes(record)
    if outcomes is None:
        return None
    measured = measure_errors(outcomes, find_task(record.task).metrics)
    disagreement = find_disagreement(measured, record.metrics)
    if disagreement is None:
        return None
    name, error_pct = disagreement
    return (
        f"its {name} is {record.metrics[name]:g}, and {error_pct:g} by its {OUTCOMES_FILE}; "
        "delete it to train the run anew"
    )


def find_obstacle(record: Record) -> str | None:
    """Return why a record cannot stand in a table, or None where it can."""
    if record.task not in list_tasks():
        return f"no task '{record.task}'; there are {', '.join(list_tasks())}"
    # Of the other metrics a table leaves the cells empty: a metric may be younger than the record.
    headline = printed_metrics(find_task(record.task).metrics)[0]
    if headline.name in record.metrics:
        return None
    return f"it lacks {headline.name}, by which tables of {record.task} compare; delete it to train the run anew"
