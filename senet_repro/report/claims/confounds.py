"""Whatever differs between compared rows beside the axes under test, named by row (report floor).

Rows are compared seed by seed, as their figures are. What a record does not say is named too: two runs that may have
differed are not known to be alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from senet_repro.core.wording import choose_form, join_words
from senet_repro.report.tables.build import ResultRow
from senet_repro.report.tables.compared import SideRuns
from senet_repro.report.tables.first_weights import drop_file
from senet_repro.report.tables.protocols import Protocol, name_setting, name_settings
from senet_repro.report.tables.seen_sets import FINGERPRINT
from senet_repro.results.record import TRAINER_SETTINGS, Record
from senet_repro.results.reported import OURS

_TORCH_SETTINGS = {
    "tf32": "TF32",
    "deterministic": "deterministic algorithms",
}
"""Settings of torch that a record keeps beside the trainer's own, with the names that a reader gives them."""

PARTS = {"train": "trained", "test": "evaluated"}
"""The parts of a set from which images may be left out, and what a run does with each."""

_UNCOMMITTED = "uncommitted changes"
_FINGERPRINT_NAME = name_setting(FINGERPRINT)


_Kind = tuple[Any, ...]

NamedRuns = ResultRow | SideRuns
"""Runs that are compared, and the name that sentences give them."""


class _Run(NamedTuple):
    """A run and the name of its row."""

    row: str
    record: Record


def find_confounds(pairs: Iterable[tuple[ResultRow, ResultRow]]) -> list[str]:
    """Return what differs, or may differ, between the runs of one seed of two rows, in a reader's words.

    Each sentence names its rows, such as `commit (1111111: r = 16; 0000000: original)`. A cited row has no runs.
    """
    found = _Confounds()
    for first, second in pairs:
        found.compare_rows(first, second)
    return found.describe_all()


def find_other_surroundings(pairs: Iterable[tuple[SideRuns, SideRuns]]) -> list[str]:
    """Return as `find_confounds` does what differs between runs but for their protocols, which are told elsewhere."""
    found = _Confounds(with_protocols=False)
    for first, second in pairs:
        found.compare_rows(first, second)
    return found.describe_all()


@dataclass
class _Confounds:
    """Collect what differs between runs, over all pairs of rows."""

    with_protocols: bool = True
    # The rows of each value, by the name of a setting.
    values: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    # The rows of which the same can be said.
    phrases: dict[str, list[str]] = field(default_factory=dict)
    # The settings that the records of a row do not tell, by row.
    lacking: dict[str, list[str]] = field(default_factory=dict)

    def compare_rows(self, first: NamedRuns, second: NamedRuns) -> None:
        """Add what differs between the runs of two rows, seed by seed."""
        others = {record.seed: record for record in second.records}
        seen: set[tuple[_Kind, _Kind]] = set()
        for record in first.records:
            if record.seed not in others:
                continue
            # The seeds of a row are of one kind or a few, and a campaign has thousands.
            kinds = (_tell_kind(record), _tell_kind(others[record.seed]))
            if kinds in seen:
                continue
            seen.add(kinds)
            one = _Run(first.name, record)
            other = _Run(second.name, others[record.seed])
            if self.with_protocols:
                self._compare_protocols(one, other)
            self._compare_surroundings(one, other)
            for part in PARTS:
                self._compare_skipped(part, one, other)

    def describe_all(self) -> list[str]:
        """Return a sentence for each thing that differs or may differ."""
        sentences = []
        for name, rows_by_value in self.values.items():
            values = []
            for value, rows in rows_by_value.items():
                values.append(f"{value}: {_join_rows(rows)}")
            sentences.append(f"{name} ({'; '.join(values)})")
        for phrase, rows in self.phrases.items():
            sentences.append(f"{phrase} ({_join_rows(rows)})")
        return sentences + self._describe_lacking()

    def _compare_protocols(self, one: _Run, other: _Run) -> None:
        one_protocol = _select_comparable(one.record, other.record)
        other_protocol = _select_comparable(other.record, one.record)
        # Settings are written out only where they differ, which those of most rows do not.
        if one_protocol == other_protocol:
            return
        one_settings = name_settings(one_protocol)
        other_settings = name_settings(other_protocol)
        for name in {**one_settings, **other_settings}:
            one_value = one_settings.get(name)
            other_value = other_settings.get(name)
            if one_value != other_value:
                self._add_value(name, one_value, one.row)
                self._add_value(name, other_value, other.row)

    def _compare_surroundings(self, one: _Run, other: _Run) -> None:
        one_values = _list_surroundings(one.record)
        other_values = _list_surroundings(other.record)
        # Most runs of a table are alike and tell everything, and a campaign has thousands of pairs.
        if one_values != other_values or None in one_values.values():
            self._compare_values(one_values, other_values, one.row, other.row)
        self._add_uncommitted(one, other)

    def _compare_values(
        self,
        one_values: Mapping[str, Any],
        other_values: Mapping[str, Any],
        one_row: str,
        other_row: str,
    ) -> None:
        for name in {**one_values, **other_values}:
            one_value = one_values.get(name)
            other_value = other_values.get(name)
            if one_value is None:
                self._add_lacking(name, one_row)
            if other_value is None:
                self._add_lacking(name, other_row)
            # Two runs that do not tell a value are not known to be alike, nor to differ.
            are_told = None not in (one_value, other_value)
            if are_told and one_value != other_value:
                self._add_value(name, one_value, one_row)
                self._add_value(name, other_value, other_row)

    def _add_uncommitted(self, one: _Run, other: _Run) -> None:
        """Add the changes that the code of either run had after its commit."""
        phrase = f"with {_UNCOMMITTED}"
        # Equal dirt is not sameness, since no record says which changes there were.
        if one.record.dirty and other.record.dirty:
            phrase += ", which may differ"
        for run in (one, other):
            if run.record.dirty is None:
                self._add_lacking(_UNCOMMITTED, run.row)
            elif run.record.dirty:
                self._add_phrase(phrase, run.row)

    def _compare_skipped(self, part: str, one: _Run, other: _Run) -> None:
        # Hardly any run leaves images out.
        if not one.record.skipped and not other.record.skipped:
            return
        one_skipped = _find_skipped(one.record, part)
        other_skipped = _find_skipped(other.record, part)
        # Without the same images the runs are alike.
        if one_skipped == other_skipped:
            return
        are_as_many = len(one_skipped) == len(other_skipped)
        for run, skipped in ((one, one_skipped), (other, other_skipped)):
            if not skipped:
                continue
            count = len(skipped)
            noun = choose_form(count, "image", "images")
            phrase = f"{PARTS[part]} without {count:,} {noun}"
            if are_as_many:
                phrase += ", and not the same ones"
            self._add_phrase(phrase, run.row)

    def _add_value(self, name: str, value: Any, row: str) -> None:
        rows_by_value = self.values.setdefault(name, {})
        rows = rows_by_value.setdefault(_spell_value(value), [])
        _add_once(row, rows)

    def _add_phrase(self, phrase: str, row: str) -> None:
        rows = self.phrases.setdefault(phrase, [])
        _add_once(row, rows)

    def _add_lacking(self, name: str, row: str) -> None:
        names = self.lacking.setdefault(row, [])
        _add_once(name, names)

    def _describe_lacking(self) -> list[str]:
        # Rows that lack the same are told of once.
        rows_by_names: dict[str, list[str]] = {}
        for row, names in self.lacking.items():
            rows = rows_by_names.setdefault(join_words(names, "and"), [])
            rows.append(row)
        sentences = []
        for names_in_words, rows in rows_by_names.items():
            sentences.append(f"{names_in_words} not recorded ({_join_rows(rows)})")
        return sentences


def _tell_kind(record: Record) -> _Kind:
    """Return what is the same for two records that differ in nothing that is compared here.

    Equal parts of records that were read together are the same objects; others are looked at one by one.
    """
    parts = (record.axes, record.protocol, record.config["data"], record.trainer, record.hardware)
    kind = tuple(map(id, (*parts, record.versions, record.skipped)))
    return (*kind, record.eval_images, record.commit, record.dirty, record.origin)


def _add_once(item: str, items: list[str]) -> None:
    if item not in items:
        items.append(item)


def _join_rows(rows: list[str]) -> str:
    return join_words(rows, "and")


def _spell_value(value: Any) -> str:
    """Return a setting's value as a command gives it."""
    if value is None:
        return "none"
    spelled = str(value)
    if isinstance(value, bool):
        return spelled.lower()
    return spelled


def _select_comparable(record: Record, other: Record) -> Protocol:
    """Return the part of a record's protocol that may not differ from another's, but for the fingerprint."""
    protocol = dict(drop_file(record.protocol))
    # SE or none is the axis under test, and only two networks with SE write it down in some way.
    if record.axes is None or other.axes is None:
        del protocol["se"]
    # Where two rows name different networks, the network is the axis.
    if record.protocol["model"]["name"] != other.protocol["model"]["name"]:
        del protocol["model"]
    # A record without it does not tell it, which is another thing than another set.
    data = dict(protocol["data"])
    data.pop("fingerprint", None)
    return {**protocol, "data": data}


def _list_surroundings(record: Record) -> dict[str, Any]:
    """Return whatever may decide a number and is not in the rest of the protocol; None where the record lacks it."""
    hardware = record.hardware
    trainer = _read_trainer(record)
    surroundings: dict[str, Any] = {
        "evaluation images": record.eval_images,
        "device": hardware.get("device"),
        "devices": hardware.get("devices"),
        "processor": hardware.get("name"),
    }
    for key in TRAINER_SETTINGS:
        surroundings[f"trainer.{key}"] = trainer.get(key)
    for key, name in _TORCH_SETTINGS.items():
        surroundings[name] = trainer.get(key)
    surroundings.update(record.versions)
    # As short as git prints it.
    surroundings["commit"] = record.commit and record.commit[:7]
    # Whatever else differs between two laboratories, no record tells.
    surroundings["origin"] = record.origin or OURS
    fingerprint = record.protocol["data"].get("fingerprint")
    root = record.config["data"].get("root")
    # A set that is read from no folder is known by its name.
    if fingerprint is not None or root is not None:
        surroundings[_FINGERPRINT_NAME] = fingerprint and fingerprint[:8]
    return surroundings


def _read_trainer(record: Record) -> dict[str, Any]:
    """Return the trainer's settings, those of an older record completed by what its hardware tells."""
    hardware = record.hardware
    # Before there was a choice, no step was recorded as a graph.
    known: dict[str, Any] = {"threads": hardware.get("threads"), "graph": False}
    # A CPU has no TF32, and a single device has nobody to share its statistics with.
    if hardware.get("device") == "cpu":
        known["tf32"] = False
    if hardware.get("devices") == 1:
        known["sync_bn"] = False
    known.update(record.trainer)
    return known


def _find_skipped(record: Record, part: str) -> set[str]:
    """Return the images of a part of the set that a run left out, by their places below the set's folder."""
    root = str(record.config["data"].get("root"))
    # The same set may lie in another folder on another machine.
    prefix = root.removesuffix("/") + "/"
    names = record.skipped.get(part, [])
    return {name.removeprefix(prefix) for name in names}
