"""Whatever differs between compared rows beside the axes under test, named by row (report floor).

Rows are compared seed by seed, as their figures are. What a record does not say is named too: two runs that may have
differed are not known to be alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, NamedTuple

from senet_repro.core.wording import join_words
from senet_repro.report.tables.build import ResultRow
from senet_repro.report.tables.numbers import end_plural
from senet_repro.report.tables.protocols import Protocol, name_setting, name_settings
from senet_repro.report.tables.seen_sets import FINGERPRINT
from senet_repro.results.record import TRAINER_SETTINGS, Record

_TRAINER_NAMES = {
    **{name: f"trainer.{name}" for name in TRAINER_SETTINGS},
    "tf32": "TF32",
    "deterministic": "deterministic algorithms",
}
"""The trainer's settings that can decide a number, with the names that a reader gives them."""

PARTS = {"train": "trained", "test": "evaluated"}
"""The parts of a set from which images may be left out, and what a run does with each."""

# Equal dirt is not sameness, since no record says which changes there were: this is never compared.
_UNCOMMITTED = "uncommitted changes"
_FINGERPRINT_NAME = name_setting(FINGERPRINT)

Names = dict[str, None]
"""Names in the order in which they came, each once."""


class _Side(NamedTuple):
    """A run and the name of its row."""

    row: str
    record: Record


def find_confounds(pairs: Iterable[tuple[ResultRow, ResultRow]]) -> list[str]:
    """Return what differs, or may differ, between the runs of one seed of two rows, in a reader's words.

    Each sentence names its rows, such as `commit (1111111: r = 16; 0000000: original)`. A cited row has no runs.
    """
    found = _Confounds()
    for first, second in pairs:
        others = {record.seed: record for record in second.records}
        for record in first.records:
            if record.seed in others:
                found.add_runs(_Side(first.name, record), _Side(second.name, others[record.seed]))
    return found.describe_all()


def name_rows(rows: Iterable[str]) -> str:
    """Return the names of rows as a text in brackets."""
    return f"({join_words(list(rows), 'and')})"


@dataclass
class _Confounds:
    """Collect what differs between runs, over all pairs of rows."""

    # The rows of each value, by the name of a setting.
    values: dict[str, dict[str, Names]] = field(default_factory=dict)
    # The settings that the records of a row do not tell, by row.
    lacking: dict[str, Names] = field(default_factory=dict)
    # The rows whose code was changed after its commit.
    uncommitted: Names = field(default_factory=dict)
    # The rows that lack so many images, by the part of the set.
    skipped: dict[str, dict[int, Names]] = field(default_factory=dict)
    # Those parts and numbers of which two rows lack as many images, but others.
    unlike: set[tuple[str, int]] = field(default_factory=set)

    def add_runs(self, one: _Side, other: _Side) -> None:
        """Add what differs between two runs."""
        self._add_protocols(one, other)
        self._add_surroundings(one, other)
        for part in PARTS:
            self._add_skipped(part, one, other)

    def describe_all(self) -> list[str]:
        """Return a sentence for each thing that differs or may differ."""
        sentences = [_describe_values(name, rows) for name, rows in self.values.items()]
        if self.uncommitted:
            may_differ = ", which may differ" if len(self.uncommitted) > 1 else ""
            sentences.append(f"with {_UNCOMMITTED}{may_differ} {name_rows(self.uncommitted)}")
        for part, counts in self.skipped.items():
            for images, rows in counts.items():
                are_others = (part, images) in self.unlike
                others = ", and not the same ones" if are_others else ""
                left_out = f"{images:,} image{end_plural(images)}{others}"
                sentences.append(f"{PARTS[part]} without {left_out} {name_rows(rows)}")
        return [*sentences, *self._describe_lacking()]

    def _add_protocols(self, one: _Side, other: _Side) -> None:
        protocols = (
            _select_comparable(one.record, other.record),
            _select_comparable(other.record, one.record),
        )
        # Settings are written out only where they differ, which those of most rows do not.
        if protocols[0] == protocols[1]:
            return
        first, second = map(name_settings, protocols)
        for name in dict.fromkeys((*first, *second)):
            values = (first.get(name), second.get(name))
            if values[0] != values[1]:
                for side, value in zip((one, other), values, strict=True):
                    self._add_value(name, side, "none" if value is None else value)

    def _add_surroundings(self, one: _Side, other: _Side) -> None:
        first, second = _list_surroundings(one.record), _list_surroundings(other.record)
        for name in dict.fromkeys((*first, *second)):
            values = (first.get(name), second.get(name))
            # A value that is not there is told of as such, and so are uncommitted changes.
            are_comparable = None not in values and name != _UNCOMMITTED
            for side, value in zip((one, other), values, strict=True):
                if value is None:
                    self.lacking.setdefault(side.row, {})[name] = None
                elif name == _UNCOMMITTED and value:
                    self.uncommitted[side.row] = None
                elif are_comparable and values[0] != values[1]:
                    self._add_value(name, side, value)

    def _add_value(self, name: str, side: _Side, value: Any) -> None:
        rows = self.values.setdefault(name, {}).setdefault(str(value), {})
        rows[side.row] = None

    def _add_skipped(self, part: str, one: _Side, other: _Side) -> None:
        sets = [_find_skipped(side.record, part) for side in (one, other)]
        # Without the same images the rows are alike.
        if sets[0] == sets[1]:
            return
        if len(sets[0]) == len(sets[1]):
            self.unlike.add((part, len(sets[0])))
        for side, skipped in zip((one, other), sets, strict=True):
            if skipped:
                rows = self.skipped.setdefault(part, {}).setdefault(len(skipped), {})
                rows[side.row] = None

    def _describe_lacking(self) -> list[str]:
        # Rows that lack the same are told of once.
        rows_by_names: dict[tuple[str, ...], Names] = {}
        for row, names in self.lacking.items():
            rows_by_names.setdefault(tuple(names), {})[row] = None
        sentences = []
        for settings, rows in rows_by_names.items():
            sentences.append(f"{join_words(settings, 'and')} not recorded {name_rows(rows)}")
        return sentences


def _describe_values(name: str, rows_by_value: Mapping[str, Names]) -> str:
    values = [f"{value}: {join_words(list(rows), 'and')}" for value, rows in rows_by_value.items()]
    return f"{name} ({'; '.join(values)})"


def _select_comparable(record: Record, other: Record) -> Protocol:
    """Return the part of a record's protocol that may not differ from another's, but for the fingerprint."""
    protocol = dict(record.protocol)
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
    trainer = _read_trainer(record)
    surroundings: dict[str, Any] = {
        "evaluation images": record.eval_images,
        "device": record.hardware.get("device"),
        "devices": record.hardware.get("devices"),
        "processor": record.hardware.get("name"),
        **{name: trainer.get(key) for key, name in _TRAINER_NAMES.items()},
        **record.versions,
        # As short as git prints it.
        "commit": record.commit and record.commit[:7],
        _UNCOMMITTED: record.dirty,
    }
    fingerprint = record.protocol["data"].get("fingerprint")
    # A set that is read from no folder is known by its name.
    if fingerprint or record.config["data"].get("root") is not None:
        surroundings[_FINGERPRINT_NAME] = fingerprint and fingerprint[:8]
    return surroundings


def _read_trainer(record: Record) -> dict[str, Any]:
    """Return the trainer's settings, those of an older record completed by what its hardware tells."""
    hardware = record.hardware
    known: dict[str, Any] = {"threads": hardware.get("threads")}
    # A CPU has no TF32, and a single device has nobody to share its statistics with.
    if hardware.get("device") == "cpu":
        known["tf32"] = False
    if hardware.get("devices") == 1:
        known["sync_bn"] = False
    return {**known, **record.trainer}


def _find_skipped(record: Record, part: str) -> set[str]:
    """Return the images of a part of the set that a run left out, by their places below the set's folder."""
    root = record.config["data"].get("root")
    names = set()
    for name in record.skipped.get(part, ()):
        path = PurePath(name)
        # The same set may lie in another folder on another machine.
        is_below = root is not None and path.is_relative_to(root)
        names.add(str(path.relative_to(root)) if is_below else name)
    return names
