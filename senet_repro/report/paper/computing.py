"""The computational requirements of a report, and what became of the runs (report floor)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from senet_repro.core.wording import choose_form, count_noun
from senet_repro.report.paper.document import Block, Listing, Paragraph, Section, Table
from senet_repro.report.paper.facts import Facts
from senet_repro.results.account import S_PER_H, Account
from senet_repro.results.record import Record
from senet_repro.results.run_states import first_line
from senet_repro.results.starts import count_starts


def write_computing(facts: Facts) -> Section:
    """Return the hours by processor, and how many runs failed, diverged or were taken up again."""
    by_processor: dict[str, list[Record]] = {}
    for record in facts.records:
        by_processor.setdefault(_name_processor(record), []).append(record)
    rows = [_list_cells(name, records) for name, records in by_processor.items()]
    if len(rows) > 1:
        rows.append(_list_cells("all", facts.records))
    blocks: list[Block] = [
        Table(
            caption="Hours of the runs, by processor",
            header=("processor", "runs", "hours", "shortest, min", "longest, min"),
            rows=rows,
            notes=[
                "Hours are those of training and evaluation over all attempts, as if one run went after the other."
            ],
        ),
        Paragraph(describe_outcomes(facts)),
    ]
    failures = _list_failures(facts)
    if failures:
        blocks += [Paragraph("Without a record, since they failed:"), Listing(failures)]
    return Section("Computational requirements", blocks)


def describe_outcomes(facts: Facts) -> str:
    """Return what became of the runs: those planned, failed, diverged and taken up again."""
    if facts.account is not None:
        return _describe_account(facts, facts.account)
    failures = len(facts.results.failures)
    failed = f"{count_noun(failures, 'run')} failed" if failures else "No run failed"
    hours = sum(record.wall_s for record in facts.records) / S_PER_H
    restarts = _describe_restarts(_list_restarts(facts))
    return f"{failed}; {restarts}. The finished ones took {hours:.2f} hours one after the other."


def _describe_account(facts: Facts, account: Account) -> str:
    counts: Counter[str] = Counter()
    for run in account.runs:
        counts["diverged" if run.diverged else run.state.state] += 1
    states = [f"{counts['done']} done"]
    # Zero of these is a finding, too.
    states += [f"{counts[state]} {state}" for state in ("failed", "diverged")]
    to_come = counts.total() - counts["done"] - counts["failed"] - counts["diverged"]
    states.append(f"{to_come} to come")
    restarts = [run.restarts for run in account.runs if run.restarts]
    planned = count_noun(len(account.runs), "run")
    sentence = (
        f"Of {planned} planned: {', '.join(states)}; {_describe_restarts(restarts)}. The finished ones took "
        f"{account.spent_h:.2f} hours one after the other"
    )
    if facts.source is None:
        return f"{sentence}."
    return f"{sentence}, of {facts.source.budget_h:g} that were planned for all."


def _list_failures(facts: Facts) -> list[str]:
    """Return each run that failed, with the reason; of a campaign those that it planned."""
    if facts.account is None:
        return [
            f"run {key[:8]}, seed {seed}: {first_line(reason)}"
            for (key, seed), reason in facts.results.failures.items()
        ]
    lines = []
    for run in facts.account.failed:
        word = "diverged" if run.diverged else "failed"
        reason = first_line(run.state.reason)
        lines.append(f"{run.folder_name}, seed {run.seed}, {word}: {reason}")
    return lines


def _list_restarts(facts: Facts) -> list[int]:
    """Return how often each run was taken up again that was."""
    restarts = []
    for folder in facts.results.folders.values():
        starts = count_starts(folder) or 1
        if starts > 1:
            restarts.append(starts - 1)
    return restarts


def _describe_restarts(restarts: Sequence[int]) -> str:
    if not restarts:
        return "none is known to have been taken up again after a stop"
    verb = choose_form(len(restarts), "was", "were")
    times = count_noun(sum(restarts), "time")
    return f"{count_noun(len(restarts), 'run')} {verb} taken up again after a stop, {times} in all"


def _name_processor(record: Record) -> str:
    """Return what a run was trained on, and how many of these side by side."""
    hardware = record.hardware
    name = str(hardware.get("name") or hardware.get("device") or "unknown")
    devices = hardware.get("devices") or 1
    parts = [f"{devices} x {name}" if devices != 1 else name]
    if hardware.get("device") == "cpu" and hardware.get("threads"):
        parts.append(count_noun(int(hardware["threads"]), "thread"))
    return ", ".join(parts)


def _list_cells(name: str, records: Sequence[Record]) -> Sequence[str]:
    times_s = [record.wall_s for record in records]
    return (
        name,
        str(len(records)),
        f"{sum(times_s) / S_PER_H:.2f}",
        f"{min(times_s) / 60:.1f}",
        f"{max(times_s) / 60:.1f}",
    )
