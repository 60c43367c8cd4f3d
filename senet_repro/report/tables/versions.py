"""Which records make one version of a table: those that change the same in each row's own protocol (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property

from senet_repro.config.identity import (
    AXIS_DEFAULTS,
    build_identity,
    build_se_identity,
    hash_identity,
)
from senet_repro.config.paper_tables import find_table, names_networks, paper_run
from senet_repro.config.schema import PaperTable, Row
from senet_repro.report.tables.protocols import Difference, Form, Protocol, changed_form, newest
from senet_repro.results.record import Record


@dataclass(frozen=True)
class Version:
    """A table under one change of its rows' own protocols; an ablation's version has one network."""

    paper: PaperTable
    difference: Difference
    protocols: list[Protocol]

    def form(self, row: Row) -> Form:
        """The protocol of a row that is not only cited."""
        model = (row.axes or {}).get("model")
        if model not in self._forms:
            self._forms[model] = changed_form(paper_form(self.paper, row), self.difference)
        return self._forms[model]

    @cached_property
    def _forms(self) -> dict[str | None, Form]:
        """By the network that a row names, once all protocols are in."""
        return {}

    def run_key(self, row: Row) -> str | None:
        """The key that the records of a row have; none where it is only cited."""
        if row.axes is None:
            return None
        form = self.form(row)
        se = build_se_identity({**AXIS_DEFAULTS, **row.axes}, form["se"], form["model"]["stages"])
        return hash_identity({**form, "se": se})

    @cached_property
    def records(self) -> dict[str, list[Record]]:
        """The records of each row, once all protocols are in."""
        return {name: self.records_of(row) for name, row in self.paper.rows.items()}

    def records_of(self, row: Row) -> list[Record]:
        """The records of a row of this table, or of one beside it."""
        return self._by_key.get(self.run_key(row) or "", [])

    @cached_property
    def superseded(self) -> list[Record]:
        """Records of its rows that do not count, since a newer code version has the same run and seed."""
        counted = {id(record) for records in self.records.values() for record in records}
        keys = {self.run_key(row) or "" for row in self.paper.rows.values()}
        return [
            record
            for key in keys
            for record in self._all_by_key.get(key, [])
            if id(record) not in counted
        ]

    @cached_property
    def _by_key(self) -> dict[str, list[Record]]:
        return {key: newest(records) for key, records in self._all_by_key.items()}

    @cached_property
    def _all_by_key(self) -> dict[str, list[Record]]:
        by_key: dict[str, list[Record]] = {}
        for protocol in self.protocols:
            for key, records in protocol.by_key.items():
                by_key.setdefault(key, []).extend(records)
        return by_key

    @property
    def code_version(self) -> int:
        """That of all its forms."""
        return int(self.protocols[0].form["code_version"])

    def is_but_for_code(self, other: Version) -> bool:
        """Whether only the code version tells it from another."""
        ours, theirs = ({**version.difference, "code_version": None} for version in (self, other))
        return ours == theirs and self.code_version != other.code_version

    def takes(self, protocol: Protocol, difference: Difference) -> bool:
        """Whether a protocol changes the same; an override may be some row's own value, and so no change there."""
        return all(protocol.agrees(key, value) for key, value in self.difference.items()) and all(
            own.agrees(key, value) for key, value in difference.items() for own in self.protocols
        )


def versions(paper: PaperTable, protocols: Sequence[Protocol]) -> list[Version]:
    """Every version of a table that has a record.

    An experiment's table shows what was trained for it, and whatever is its own protocol; an ablation's any network.
    """
    found: list[Version] = []
    # Networks without SE come last: they join every version that is like theirs in all but SE.
    for protocol in sorted(protocols, key=lambda protocol: not protocol.form["se"]):
        difference = _difference(paper, protocol)
        if difference is None:
            continue
        alike = [version for version in found if version.difference == difference]
        if not alike or not protocol.form["se"]:
            alike = [version for version in found if version.takes(protocol, difference)]
        for version in alike if not protocol.form["se"] else alike[:1]:
            version.protocols.append(protocol)
            version.difference.update(difference)
        if not alike:
            found.append(Version(paper, dict(difference), [protocol]))
    return [version for version in found if any(version.records.values()) and _belongs(version)]


def paper_form(paper: PaperTable, row: Row) -> Form:
    """The protocol by which the paper got a row; whoever asks again gets the same object."""
    return _paper_form(paper.name, (row.axes or {}).get("model"))


@cache
def _paper_form(table: str, model: str | None) -> Form:
    run = paper_run(find_table(table), Row(axes={"model": model} if model else {}))
    return {**build_identity(run), "se": asdict(run.se)}


def _difference(paper: PaperTable, protocol: Protocol) -> Difference | None:
    """What a protocol changes in the table's own for its network; none where no row is for that network."""
    name = protocol.form["model"]["name"]
    rows = [
        row
        for row in paper.rows.values()
        if row.axes is not None and row.axes.get("model", name) == name
    ]
    return protocol.difference(paper_form(paper, rows[0])) if rows else None


def _belongs(version: Version) -> bool:
    if not names_networks(version.paper) or not version.difference:
        return True
    records = [record for row in version.records.values() for record in row]
    return any(record.config.get("table") == version.paper.name for record in records)
