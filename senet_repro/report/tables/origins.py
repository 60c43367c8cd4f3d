"""Whose runs stand in rows: ours, re-run by us, or reported by others (report floor)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from senet_repro.core.wording import choose_form, count_noun, join_words
from senet_repro.results.record import Record
from senet_repro.results.reported import ReportedRun


class RowOfRecords(Protocol):
    """Describe what is asked of a row: its run key, and its records, one per seed that counts."""

    @property
    def run_key(self) -> str | None:
        """The run key; None of a row that the paper only cites."""

    @property
    def records(self) -> list[Record]:
        """The records that count."""


def select_reported(
    rows: Iterable[RowOfRecords], reported: Sequence[ReportedRun]
) -> list[ReportedRun]:
    """Return those of the reported runs that are of some rows."""
    if not reported:
        return []
    keys = set().union(*map(find_run_keys, rows))
    return [run for run in reported if run.record.run_key in keys]


def find_run_keys(row: RowOfRecords) -> set[str | None]:
    """Return the key of a row, and those of its records: these are others where code or first weights are mixed."""
    return {row.run_key, *(record.run_key for record in row.records)}


def list_reported_seeds(row: RowOfRecords) -> list[int]:
    """Return the seeds of a row that count and were reported by others."""
    return sorted(record.seed for record in row.records if record.origin is not None)


def count_reported(rows: Iterable[RowOfRecords]) -> dict[str, int]:
    """Return how many runs that count in some rows each origin reported, by its name; ours are left out."""
    # Two rows may be the same run, which counts once.
    origins: dict[tuple[str, int], str] = {}
    for row in rows:
        for record in row.records:
            if record.origin is not None:
                origins[record.run_key, record.seed] = record.origin
    return dict(sorted(Counter(origins.values()).items()))


def describe_reported(counts: dict[str, int]) -> str:
    """Return how many runs were reported and by whom: `2 runs reported by Lab X and 1 run by Lab Y`."""
    parts: list[str] = []
    for name, count in counts.items():
        # The first part says for all of them what was done.
        verb = "" if parts else "reported "
        parts.append(f"{count_noun(count, 'run')} {verb}by {name}")
    return join_words(parts, "and")


def rest_on_reported(counts: dict[str, int]) -> str:
    """Return the sentence of a claim that rests on runs of others; nothing where it rests on ours alone."""
    if not counts:
        return ""
    were = choose_form(sum(counts.values()), "was", "were")
    return (
        f"It rests on {describe_reported(counts)}, checked in form, which {were} not trained here."
    )
