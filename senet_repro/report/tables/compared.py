"""Two sets of records matched row by row: by run key, and then by name (report floor).

The sides are called A and B. A row is what has one run key; its runs are paired by seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from senet_repro.config.schema import PaperTable
from senet_repro.report.tables.build import build_tables
from senet_repro.report.tables.first_weights import drop_file
from senet_repro.report.tables.groups import find_run_key
from senet_repro.report.tables.protocols import ABSENT, describe_setting, flatten_protocol
from senet_repro.results.record import Record
from senet_repro.results.store import Results

SIDES = ("A", "B")
"""The names of the two sides, in messages and headings."""

_SHOWN_DIGITS = 8  # of a hash
_HASH_DIGITS = 64


@dataclass(frozen=True)
class SideRuns:
    """The runs of a row on one side."""

    name: str  # of the side
    records: list[Record] = field(default_factory=list)  # one of each seed

    @cached_property
    def by_seed(self) -> dict[int, Record]:
        """The records by their seeds."""
        return {record.seed: record for record in self.records}

    def list_seeds_beyond(self, other: SideRuns) -> list[int]:
        """Return the seeds that this side has and another lacks."""
        return sorted(self.by_seed.keys() - other.by_seed.keys())

    def select_seeds(self, seeds: Sequence[int]) -> SideRuns:
        """Return the runs of some of its seeds, in their order."""
        return replace(self, records=[self.by_seed[seed] for seed in seeds])


@dataclass(frozen=True, kw_only=True)
class MatchedRow:
    """A row of either side with the row of the other that it is compared to; one of them may have no runs."""

    name: str
    first: SideRuns  # of A
    second: SideRuns  # of B
    # The settings in which the two differ, of rows that were matched by their names alone.
    changes: list[str] = field(default_factory=list)

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds that both sides have."""
        return sorted(self.first.by_seed.keys() & self.second.by_seed.keys())

    @property
    def is_common(self) -> bool:
        """Return whether both sides have the row, with whatever seeds."""
        return bool(self.first.records and self.second.records)

    @property
    def example(self) -> Record:
        """Return any of its records."""
        return (self.first.records or self.second.records)[0]

    def list_pairs(self, seeds: Sequence[int]) -> list[tuple[Record, Record]]:
        """Return the runs of A and B of some of the seeds in common, in their order."""
        return [(self.first.by_seed[seed], self.second.by_seed[seed]) for seed in seeds]


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Every row of both sides."""

    rows: list[MatchedRow]
    # Of a seed that started from several files of first weights; the run that was finished first is compared.
    left_out: list[Record] = field(default_factory=list)


def select_tables(results: Results, papers: Sequence[PaperTable]) -> Results:
    """Return results with the records alone that stand in some tables of the paper, whatever their seed."""
    wanted: set[int] = set()
    for table in build_tables(results, papers):
        shown = [*table.superseded, *table.other_files]
        for row in table.rows:
            shown += row.all_records
        wanted.update(id(record) for record in shown)
    records = [record for record in results.records if id(record) in wanted]
    return replace(results, records=records)


def match_rows(first: Sequence[Record], second: Sequence[Record]) -> Matching:
    """Return the rows of both sides, each with that of the other side which has its run key.

    Of the rows whose key one side alone has, those are matched whose name one row of each side bears.
    """
    left_out: list[Record] = []
    first_rows = _group_rows(SIDES[0], first, left_out)
    second_rows = _group_rows(SIDES[1], second, left_out)
    partners = _find_partners(first_rows, second_rows)
    rows = []
    for key, own in first_rows.items():
        partner = partners.get(key)
        other = SideRuns(SIDES[1]) if partner is None else second_rows[partner]
        changes = []
        if partner not in (None, key):
            changes = describe_changes(own.records[0], other.records[0])
        name = own.records[0].name
        rows.append(MatchedRow(name=name, first=own, second=other, changes=changes))
    taken = set(partners.values())
    for key, other in second_rows.items():
        if key not in taken:
            name = other.records[0].name
            rows.append(MatchedRow(name=name, first=SideRuns(SIDES[0]), second=other))
    return Matching(rows=_tell_names_apart(rows), left_out=left_out)


def describe_changes(first: Record, second: Record) -> list[str]:
    """Return the settings in which the identities of two records differ, in a reader's words."""
    ours = flatten_protocol(drop_file(first.identity), first.eval_images)
    theirs = flatten_protocol(drop_file(second.identity), second.eval_images)
    changes = []
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(key, ABSENT), theirs.get(key, ABSENT)
        if one != other:
            words = [describe_setting(key, _shorten_hash(value)) for value in (one, other)]
            changes.append(f"{words[0]} in {SIDES[0]} and {words[1]} in {SIDES[1]}")
    return changes


def _shorten_hash(value: Any) -> Any:
    """Return the beginning of a hash, and anything else as it is."""
    if isinstance(value, str) and len(value) == _HASH_DIGITS:
        return value[:_SHOWN_DIGITS]
    return value


def _group_rows(
    side: str, records: Sequence[Record], left_out: list[Record]
) -> dict[str, SideRuns]:
    """Return the rows of a side by their keys; records of a seed that has one already are added to `left_out`."""
    rows: dict[str, dict[int, Record]] = {}
    # In the order of paths but for runs of one seed, of which the first that was finished counts.
    for record in records:
        by_seed = rows.setdefault(_find_key(record), {})
        rival = by_seed.setdefault(record.seed, record)
        if rival is record:
            continue
        earlier, later = sorted((rival, record), key=_rank_record)
        by_seed[record.seed] = earlier
        left_out.append(later)
    return {key: SideRuns(side, list(by_seed.values())) for key, by_seed in rows.items()}


def _find_key(record: Record) -> str:
    """Return the key of a record's row, which for detectors leaves out the file of the first weights."""
    return find_run_key(record, record.protocol["code_version"])


def _rank_record(record: Record) -> tuple[str, str]:
    return record.finished_at, record.run_key


def _find_partners(first: Mapping[str, SideRuns], second: Mapping[str, SideRuns]) -> dict[str, str]:
    """Return the key in the second side that each key of the first is matched with, where there is one."""
    partners = {key: key for key in first if key in second}
    first_names = dict(_list_single_names(first, second))
    second_names = dict(_list_single_names(second, first))
    for name in first_names.keys() & second_names.keys():
        partners[first_names[name]] = second_names[name]
    return partners


def _list_single_names(
    own: Mapping[str, SideRuns], other: Mapping[str, SideRuns]
) -> Iterator[tuple[str, str]]:
    """Yield the names that one row alone bears of those whose key the other side lacks, each with its key."""
    names = {key: runs.records[0].name for key, runs in own.items() if key not in other}
    counts = Counter(names.values())
    for key, name in names.items():
        if counts[name] == 1:
            yield name, key


def _tell_names_apart(rows: Sequence[MatchedRow]) -> list[MatchedRow]:
    """Return the rows, with the beginning of its key in the name of each that shares it with another."""
    counts = Counter(row.name for row in rows)
    told = []
    for row in rows:
        if counts[row.name] > 1:
            row = replace(row, name=f"{row.name}-{row.example.run_key[:_SHOWN_DIGITS]}")
        told.append(row)
    return told
