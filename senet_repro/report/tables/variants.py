"""The variants of a table: records that change the same in each row's own protocol make one (report floor)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from senet_repro.config.identity import AXIS_DEFAULTS, build_se_identity, hash_identity
from senet_repro.config.paper_tables import names_networks, paper_protocol
from senet_repro.config.schema import PaperTable, Row
from senet_repro.report.tables.groups import ProtocolGroup
from senet_repro.report.tables.protocols import Difference, Protocol, apply_difference
from senet_repro.results.record import Record


@dataclass(frozen=True)
class VariantRow:
    """The records of a row under the variant's change of the paper's protocol."""

    protocol: Protocol | None = None  # None: a row that the paper only cites
    run_key: str | None = None
    records: list[Record] = field(default_factory=list)  # one per seed


@dataclass(frozen=True)
class TableVariant:
    """A table under one change of its rows' own protocols; an ablation's variant has one network."""

    paper: PaperTable
    difference: Difference
    group: ProtocolGroup  # the first of the groups that its records come from
    rows: dict[str, VariantRow]
    beside: dict[str, VariantRow]  # rows of other tables, for claims that compare with them
    superseded: list[Record]  # of its rows; a newer code version has the same run and seed

    @property
    def records(self) -> list[Record]:
        """Return the records of all its rows."""
        return [record for row in self.rows.values() for record in row.records]

    def differs_in_code_alone(self, other: TableVariant) -> bool:
        """Return whether nothing but the code version tells it from another."""
        ours = {**self.difference, "code_version": None}
        theirs = {**other.difference, "code_version": None}
        return ours == theirs and self.group.code_version != other.group.code_version


@dataclass
class _Draft:
    """A variant in the making: groups that agree in a difference, which grows with them."""

    difference: Difference
    groups: list[ProtocolGroup]

    def accepts(self, group: ProtocolGroup, difference: Difference) -> bool:
        """Return whether a group changes the same.

        An override may be the own value of some rows, for which it is no change: differences need not be equal, they
        only may not contradict any group.
        """
        fits_group = group.agrees_in_all(self.difference)
        return fits_group and all(member.agrees_in_all(difference) for member in self.groups)

    def add(self, group: ProtocolGroup, difference: Difference) -> None:
        """Take a group in that was accepted."""
        self.groups.append(group)
        self.difference = {**self.difference, **difference}


def find_variants(paper: PaperTable, groups: Sequence[ProtocolGroup]) -> list[TableVariant]:
    """Return every variant of a table that has a record.

    An experiment's table shows whatever is its own protocol and, of others, what was trained for it; an ablation's
    table shows any network.
    """
    with_se: list[_Draft] = []
    plain: list[_Draft] = []
    for group in groups:
        difference = _compare_with_paper(paper, group)
        if difference is not None:
            drafts = with_se if group.has_se else plain
            drafts.append(_Draft(difference, [group]))
    drafts = _merge_compatible(_merge_equal(with_se))
    # Networks without SE come last: they join every variant that is like theirs in all but SE.
    _attach_plain(drafts, plain)
    variants = [_build_variant(paper, draft) for draft in drafts]
    return [variant for variant in variants if variant.records and _is_shown(variant)]


def _compare_with_paper(paper: PaperTable, group: ProtocolGroup) -> Difference | None:
    """Return what a group changes in the table's own protocol for its network; None where no row is for either."""
    if group.task != paper.task:
        return None
    network = group.protocol["model"]["name"]
    for row in paper.rows.values():
        if row.axes is not None and row.axes.get("model", network) == network:
            return group.compare_with_paper(paper_protocol(paper, row.axes.get("model")))
    return None


def _merge_equal(drafts: Sequence[_Draft]) -> list[_Draft]:
    merged: dict[str, _Draft] = {}
    for draft in drafts:
        # A difference holds lists, which are no keys of a dict.
        key = json.dumps(draft.difference, sort_keys=True)
        if key in merged:
            merged[key].groups += draft.groups
        else:
            merged[key] = draft
    return list(merged.values())


def _merge_compatible(drafts: Sequence[_Draft]) -> list[_Draft]:
    merged: list[_Draft] = []
    for draft in drafts:
        hosts = (
            host
            for host in merged
            if all(host.accepts(group, draft.difference) for group in draft.groups)
        )
        host = next(hosts, None)
        if host is None:
            merged.append(draft)
            continue
        for group in draft.groups:
            host.add(group, draft.difference)
    return merged


def _attach_plain(drafts: list[_Draft], plain: Sequence[_Draft]) -> None:
    """Add each group without SE to every draft that accepts it, or as a draft of its own where none does."""
    for draft in plain:
        (group,) = draft.groups
        hosts = [host for host in drafts if host.accepts(group, draft.difference)]
        for host in hosts:
            host.add(group, draft.difference)
        if not hosts:
            drafts.append(draft)


def _build_variant(paper: PaperTable, draft: _Draft) -> TableVariant:
    records: dict[str, list[Record]] = {}
    for group in draft.groups:
        for key, members in group.records.items():
            records.setdefault(key, []).extend(members)
    counted = {key: _select_newest(members) for key, members in records.items()}
    protocols = _change_protocols(paper, draft.difference)
    rows = {name: _build_row(row, protocols, counted) for name, row in paper.rows.items()}
    beside = {name: _build_row(row, protocols, counted) for name, row in paper.beside.items()}
    # Two rows may be the same run on a network with few stages; its records are listed once.
    shown_keys = dict.fromkeys(row.run_key for row in rows.values() if row.run_key in records)
    superseded = []
    for key in shown_keys:
        assert key is not None
        counted_ids = {id(record) for record in counted[key]}
        superseded += [record for record in records[key] if id(record) not in counted_ids]
    return TableVariant(paper, draft.difference, draft.groups[0], rows, beside, superseded)


def _change_protocols(paper: PaperTable, difference: Difference) -> dict[str | None, Protocol]:
    """Return the protocol of each network that the rows name, None standing for rows that name none."""
    models = {
        row.axes.get("model")
        for row in (*paper.rows.values(), *paper.beside.values())
        if row.axes is not None
    }
    return {model: apply_difference(paper_protocol(paper, model), difference) for model in models}


def _build_row(
    row: Row, protocols: Mapping[str | None, Protocol], records: Mapping[str, list[Record]]
) -> VariantRow:
    if row.axes is None:
        return VariantRow()
    protocol = protocols[row.axes.get("model")]
    axes = {**AXIS_DEFAULTS, **row.axes}
    blocks = build_se_identity(axes, protocol["se"], protocol["model"]["stages"])
    run_key = hash_identity({**protocol, "se": blocks})
    return VariantRow(protocol, run_key, records.get(run_key, []))


def _select_newest(records: Sequence[Record]) -> list[Record]:
    """Return of each seed the record of the newest code version."""
    newest: dict[int, Record] = {}
    for record in records:
        rival = newest.setdefault(record.seed, record)
        if record.protocol["code_version"] > rival.protocol["code_version"]:
            newest[record.seed] = record
    return list(newest.values())


def _is_shown(variant: TableVariant) -> bool:
    if not names_networks(variant.paper) or not variant.difference:
        return True
    return any(record.config.get("table") == variant.paper.name for record in variant.records)
