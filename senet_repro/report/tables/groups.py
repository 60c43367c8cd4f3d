"""Records grouped by protocol: those of a group differ in the axes and the seed alone (report floor)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from senet_repro.config.identity import CODE_VERSION, hash_identity, protocol_key
from senet_repro.report.tables.first_weights import drop_file
from senet_repro.report.tables.protocols import (
    ABSENT,
    Difference,
    Protocol,
    Settings,
    describe_setting,
    flatten_paper_protocol,
    flatten_protocol,
)
from senet_repro.results.record import Record


@dataclass(frozen=True)
class ProtocolGroup:
    """Records of one task that agree in all but the axes and the seed."""

    task: str
    protocol: Protocol  # `se` is {} where no record has SE blocks
    settings: Settings  # the same with dotted keys
    # By the run key that they have, or would have under the protocol.
    records: dict[str, list[Record]]

    @property
    def has_se(self) -> bool:
        """Return whether any of its records has SE blocks."""
        return bool(self.protocol["se"])

    @property
    def code_version(self) -> int:
        """Return the code version that its protocol counts as."""
        return int(self.protocol["code_version"])

    def agrees_with(self, key: str, value: Any) -> bool:
        """Return whether a setting has this value; without SE, every way of writing SE down agrees."""
        if key.startswith("se.") and not self.has_se:
            return True
        return bool(self.settings.get(key, ABSENT) == value)

    def agrees_in_all(self, difference: Difference) -> bool:
        """Return whether each setting has the value that a difference gives it."""
        return all(self.agrees_with(key, value) for key, value in difference.items())

    def compare_with_paper(self, paper: Protocol) -> Difference:
        """Return the settings that differ from a protocol of the paper, with their values here."""
        theirs = flatten_paper_protocol(paper)
        difference = {}
        for key in dict.fromkeys((*self.settings, *theirs)):
            if not self.agrees_with(key, theirs.get(key, ABSENT)):
                difference[key] = self.settings.get(key, ABSENT)
        return difference


def group_records(records: Sequence[Record], allow_mixed: bool = False) -> list[ProtocolGroup]:
    """Return the groups of records that share a task and a protocol.

    A network without SE has no way of writing SE down, so its records join the groups of every way that others have.
    With `allow_mixed` the code version is nothing to agree in, and every record counts as one of the present version.
    """
    keys: dict[str, str] = {}
    alike: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        own_key = record.protocol_key
        # Found once for each protocol: there are thousands of records to a few protocols.
        if own_key not in keys:
            keys[own_key] = find_shared_key(record, allow_mixed)
        alike[record.task, keys[own_key]].append(record)
    groups = []
    for members in alike.values():
        protocol = drop_file(members[0].protocol)
        if allow_mixed:
            protocol = _set_code_version(protocol, CODE_VERSION)
        for style in _list_styles(members):
            groups.append(_build_group(protocol, style, members))
    return groups


def describe_distinctions(own: ProtocolGroup, others: Sequence[ProtocolGroup]) -> list[str]:
    """Return the settings that tell a group from others, in a reader's words."""
    keys: dict[str, None] = {}
    for group in (own, *others):
        keys |= dict.fromkeys(group.settings)
    distinctions = []
    for key in keys:
        if all(_agree_mutually(key, own, other) for other in others):
            continue
        value = own.settings.get(key, ABSENT)
        distinctions.append(describe_setting(key, value))
    return distinctions


def _agree_mutually(key: str, one: ProtocolGroup, other: ProtocolGroup) -> bool:
    one_value = one.settings.get(key, ABSENT)
    other_value = other.settings.get(key, ABSENT)
    # Either may be without SE, and then agrees with whatever way of writing SE down the other has.
    return one.agrees_with(key, other_value) or other.agrees_with(key, one_value)


def _list_styles(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the ways in which SE blocks are written down, in a fixed order; {} alone where no record has any."""
    styles: list[dict[str, Any]] = []
    for record in records:
        style = record.protocol["se"]
        if style and style not in styles:
            styles.append(style)
    styles.sort(key=lambda style: [str(value) for value in style.values()])
    return styles or [{}]


def _build_group(
    protocol: Protocol, style: dict[str, Any], members: Sequence[Record]
) -> ProtocolGroup:
    """Return the group of those members that write SE down in this style or have none."""
    # `se` stands last, which is the order in which readers are told the differences of a protocol.
    shared = {name: value for name, value in protocol.items() if name != "se"}
    shared["se"] = style
    by_key: dict[str, list[Record]] = defaultdict(list)
    keys: dict[str, str] = {}
    for record in members:
        own_style = record.protocol["se"]
        if own_style and own_style != style:
            continue
        if record.run_key not in keys:
            keys[record.run_key] = find_run_key(record, shared["code_version"])
        by_key[keys[record.run_key]].append(record)
    settings = flatten_protocol(shared, members[0].eval_images)
    return ProtocolGroup(members[0].task, shared, settings, dict(by_key))


def find_shared_key(record: Record, allow_mixed: bool) -> str:
    """Return the key of a record's protocol as tables compare it; with `allow_mixed` of the present code version."""
    protocol = drop_file(record.protocol)
    if allow_mixed:
        protocol = _set_code_version(protocol, CODE_VERSION)
    # Its own key is known, and need not be found by hashing.
    if protocol is record.protocol:
        return record.protocol_key
    return protocol_key(protocol, record.eval_images)


def find_run_key(record: Record, code_version: int) -> str:
    """Return the run key that a record would have, as tables compare it, under a code version."""
    identity = drop_file(record.identity)
    if identity is record.identity and record.protocol["code_version"] == code_version:
        return record.run_key
    return hash_identity(_set_code_version(identity, code_version))


def _set_code_version(identity: dict[str, Any], code_version: int) -> dict[str, Any]:
    return {**identity, "code_version": code_version}
