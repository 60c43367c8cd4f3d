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
from senet_repro.report.tables.seen_sets import FINGERPRINT, is_whole_set
from senet_repro.results.record import Record


@dataclass(frozen=True)
class VariantRow:
    """The records of a row under the variant's change of the paper's protocol."""

    protocol: Protocol | None = None  # None: a row that the paper only cites
    run_key: str | None = None
    records: list[Record] = field(default_factory=list)  # one per seed


@dataclass(frozen=True, kw_only=True)
class TableVariant:
    """A table under one change of its rows' own protocols; an ablation's variant has one network."""

    paper: PaperTable
    difference: Difference
    group: ProtocolGroup  # the first of the groups that its records come from
    rows: dict[str, VariantRow]
    beside: dict[str, VariantRow]  # rows of other tables, for claims that compare with them
    superseded: list[Record]  # of its rows; a newer code version has the same run and seed
    # Of its rows; another record of the same seed was made first, and started from another file.
    other_files: list[Record]

    @property
    def all_records(self) -> list[Record]:
        """Return the records of all its rows."""
        records = []
        for row in self.rows.values():
            records += row.records
        return records

    @property
    def changes_protocol(self) -> bool:
        """Return whether it changes the paper's protocol; a copy of the paper's own set, as a whole, is no change."""
        changes = [key for key in self.difference if key != FINGERPRINT]
        # Its records share their set, so one speaks for all.
        return bool(changes) or not all(map(is_whole_set, self.all_records[:1]))

    def differs_in_code_alone(self, other: TableVariant) -> bool:
        """Return whether the code version is its only difference from another variant."""
        ours = {**self.difference, "code_version": None}
        theirs = {**other.difference, "code_version": None}
        return ours == theirs and self.group.code_version != other.group.code_version


@dataclass
class _Draft:
    """A variant in the making: groups that agree in a difference, which grows with them."""

    difference: Difference
    groups: list[ProtocolGroup]

    def agrees_with(self, other: _Draft) -> bool:
        """Return whether another draft changes the same.

        An override may be the own value of some rows, for which it is no change. So differences need not be equal:
        no group of either draft may contradict the difference of the other.
        """
        return self.allows(other.difference) and other.allows(self.difference)

    def allows(self, difference: Difference) -> bool:
        """Return whether each of its groups has the values of a difference."""
        return all(group.agrees_in_all(difference) for group in self.groups)

    def absorb(self, other: _Draft) -> None:
        """Take in the groups of a draft that agrees with this one."""
        self.groups.extend(other.groups)
        self.difference = {**self.difference, **other.difference}


def find_variants(paper: PaperTable, groups: Sequence[ProtocolGroup]) -> list[TableVariant]:
    """Return every variant of a table that has a record.

    An experiment's table shows whatever is its own protocol and, of others, what was trained for it; an ablation's
    table shows any network.
    """
    with_se: list[_Draft] = []
    plain: list[_Draft] = []
    for group in groups:
        difference = _compare_with_paper(paper, group)
        if difference is None:
            continue
        draft = _Draft(difference, [group])
        if group.has_se:
            with_se.append(draft)
        else:
            plain.append(draft)
    # Equal differences first: which drafts are compatible may not depend on the order of records.
    drafts = _merge_compatible(_merge_equal(with_se))
    # Networks without SE come last: they join every variant that is like theirs in all but SE.
    _attach_plain(drafts, plain)
    variants = [_build_variant(paper, draft) for draft in drafts]
    return [variant for variant in variants if _is_shown(variant)]


def _compare_with_paper(paper: PaperTable, group: ProtocolGroup) -> Difference | None:
    """Return what a group changes in the table's own protocol for its network, or for the one that it stands in for.

    None is returned where no row is for that network, or the table for that task.
    """
    if group.task != paper.task:
        return None
    own_name = group.protocol["model"]["name"]
    network = paper.stand_ins.get(own_name, own_name)
    for row in paper.rows.values():
        if row.axes is not None and row.network in (None, network):
            return group.compare_with_paper(paper_protocol(paper, row))
    return None


def _merge_equal(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Return a draft for each difference that there is."""
    merged: dict[str, _Draft] = {}
    for draft in drafts:
        # As text, since a difference may hold lists, which are no keys of a dict.
        key = json.dumps(draft.difference, sort_keys=True)
        if key in merged:
            merged[key].absorb(draft)
        else:
            merged[key] = draft
    return list(merged.values())


def _merge_compatible(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Return the drafts, each merged into the first before it that agrees with it."""
    merged: list[_Draft] = []
    for draft in drafts:
        for host in merged:
            if host.agrees_with(draft):
                host.absorb(draft)
                break
        else:
            merged.append(draft)
    return merged


def _attach_plain(drafts: list[_Draft], plain: Sequence[_Draft]) -> None:
    """Merge each draft without SE into every draft that agrees with it, or add it where none does."""
    for draft in plain:
        hosts = [host for host in drafts if host.agrees_with(draft)]
        for host in hosts:
            host.absorb(draft)
        if not hosts:
            drafts.append(draft)


def _build_variant(paper: PaperTable, draft: _Draft) -> TableVariant:
    by_key = _collect_records(draft.groups)
    counted = {key: _select_counted(records) for key, records in by_key.items()}
    protocols = _change_protocols(paper, draft.difference)
    # A network that stands in for one does so for no other.
    stood_for = paper.stand_ins.get(draft.difference.get("model.name", ""))
    rows = {}
    for name, row in paper.rows.items():
        rows[name] = _build_row(row, protocols, counted, stood_for)
    beside = {}
    for name, row in paper.beside.items():
        beside[name] = _build_row(row, protocols, counted, stood_for)
    superseded: list[Record] = []
    other_files: list[Record] = []
    # Two rows may be the same run on a network with few stages; its records are listed once.
    for run_key in dict.fromkeys(row.run_key for row in rows.values()):
        if run_key is None or run_key not in by_key:
            continue
        chosen = counted[run_key]
        versions = {record.seed: _read_version(record) for record in chosen}
        for record in _select_others(by_key[run_key], chosen):
            if _read_version(record) < versions[record.seed]:
                superseded.append(record)
            else:
                other_files.append(record)
    return TableVariant(
        paper=paper,
        difference=draft.difference,
        group=draft.groups[0],
        rows=rows,
        beside=beside,
        superseded=superseded,
        other_files=other_files,
    )


def _collect_records(groups: Sequence[ProtocolGroup]) -> dict[str, list[Record]]:
    """Return the records of some groups by their run key."""
    collected: dict[str, list[Record]] = {}
    for group in groups:
        for run_key, records in group.records.items():
            collected.setdefault(run_key, []).extend(records)
    return collected


def _change_protocols(paper: PaperTable, difference: Difference) -> dict[str | None, Protocol]:
    """Return the changed protocol of each network that rows name; of None for rows of any network."""
    protocols: dict[str | None, Protocol] = {}
    for row in (*paper.rows.values(), *paper.beside.values()):
        if row.axes is not None and row.network not in protocols:
            own = paper_protocol(paper, row)
            protocols[row.network] = apply_difference(own, difference)
    return protocols


def _build_row(
    row: Row,
    protocols: Mapping[str | None, Protocol],
    records: Mapping[str, list[Record]],
    stood_for: str | None,
) -> VariantRow:
    """Return a row with its records; `stood_for` is the network whose rows alone have any, None where all may."""
    if row.axes is None:
        return VariantRow()
    protocol = protocols[row.network]
    if stood_for not in (None, row.network):
        return VariantRow(protocol)
    axes = {**AXIS_DEFAULTS, **row.axes}
    blocks = build_se_identity(axes, protocol["se"], protocol["model"]["stages"])
    run_key = hash_identity({**protocol, "se": blocks})
    return VariantRow(protocol, run_key, records.get(run_key, []))


def _select_counted(records: Sequence[Record]) -> list[Record]:
    """Return of each seed the record of the newest code version; of several files of first weights the earliest."""
    counted: dict[int, Record] = {}
    for record in records:
        rival = counted.setdefault(record.seed, record)
        if _rank_record(record) < _rank_record(rival):
            counted[record.seed] = record
    return list(counted.values())


def _rank_record(record: Record) -> tuple[int, str, str]:
    """Return what the records of a seed are ordered by; the first counts, whatever came out of the others."""
    return -_read_version(record), record.finished_at, record.run_key


def _read_version(record: Record) -> int:
    return int(record.protocol["code_version"])


def _select_others(records: Sequence[Record], counted: Sequence[Record]) -> list[Record]:
    """Return the records that are not among those counted."""
    # By id, since comparing whole records takes long.
    ids = {id(record) for record in counted}
    return [record for record in records if id(record) not in ids]


def _is_shown(variant: TableVariant) -> bool:
    if not variant.all_records:
        return False
    # The rows of an experiment's table name common networks, which are trained for other tables, too.
    if not names_networks(variant.paper) or not variant.changes_protocol:
        return True
    trained_for = [record.config.get("table") for record in variant.all_records]
    return variant.paper.name in trained_for
