"""Two rows set side by side: their differences seed by seed, and what else differs between them (report floor)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from senet_repro.config.schema import Claim
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.contrasts import Term, estimate_contrast
from senet_repro.report.tables.protocols import Protocol, name_settings
from senet_repro.results.metrics import Metric
from senet_repro.results.record import Record
from senet_repro.stats.estimates import Estimate

_TREE_WORDS = {None: None, True: "with uncommitted changes", False: "clean"}


@dataclass(frozen=True)
class Pair:
    """Two rows of a claim; one that the paper cites from elsewhere has its published figure for every seed."""

    first: ResultRow
    second: ResultRow

    @property
    def shared_seeds(self) -> list[int]:
        """Return the seeds that both rows were run with."""
        # A cited row stands beside whatever seeds the other has.
        if self.first.is_cited:
            return [] if self.second.is_cited else self.second.seeds
        if self.second.is_cited:
            return self.first.seeds
        return sorted(set(self.first.seeds) & set(self.second.seeds))

    def estimate_difference(self, metric: Metric) -> Estimate | None:
        """Return the first row's figure less the second's over their common seeds; None where there are none.

        None is returned, too, where a run was recorded without the metric, or the paper lacks a cited row's figure.
        """
        terms = [Term(1.0, self.first.list_runs(metric)), Term(-1.0, self.second.list_runs(metric))]
        return estimate_contrast(terms, metric, self.shared_seeds)

    def find_confounds(self) -> list[str]:
        """Return what differs between the runs of one seed beside the axes under test, in a reader's words."""
        first = {record.seed: record for record in self.first.records}
        second = {record.seed: record for record in self.second.records}
        found: dict[str, dict[str, None]] = {}
        for seed in self.shared_seeds:
            # A cited row has no records.
            if seed not in first or seed not in second:
                continue
            for name, values in _find_differing(first[seed], second[seed]).items():
                found.setdefault(name, {})[values] = None
        return [f"{name} ({', '.join(values)})" for name, values in found.items()]


def find_rows(table: ResultTable, claim: Claim) -> list[ResultRow]:
    """Return the rows that a claim compares, of the table or beside it."""
    return [find_row(table, name) for name in claim.rows]


def find_row(table: ResultTable, name: str) -> ResultRow:
    """Return the row of a name, of the table or beside it."""
    by_name = {row.name: row for row in (*table.beside, *table.rows)}
    return by_name[name]


def _find_differing(first: Record, second: Record) -> dict[str, str]:
    """Return the settings in which two runs differ, each with both values in words."""
    one, other = _list_surroundings(first), _list_surroundings(second)
    one_protocol = _select_comparable(first, second)
    other_protocol = _select_comparable(second, first)
    # Most runs of a table differ in nothing, and a campaign has thousands of pairs.
    if (one, one_protocol) == (other, other_protocol):
        return {}
    # Settings are written out only where they differ.
    if one_protocol != other_protocol:
        one = {**name_settings(one_protocol), **one}
        other = {**name_settings(other_protocol), **other}
    differing = {}
    for name in (*one, *other):
        one_value, other_value = one.get(name), other.get(name)
        if one_value != other_value:
            differing[name] = f"{_spell_value(one_value)} and {_spell_value(other_value)}"
    return differing


def _select_comparable(record: Record, other: Record) -> Protocol:
    """Return the part of a record's protocol that may not differ from another's."""
    protocol = dict(record.protocol)
    # SE or none is the axis under test, and only two networks with SE write it down in some way.
    if record.axes is None or other.axes is None:
        del protocol["se"]
    # Where two rows name different networks, the network is the axis.
    if record.protocol["model"]["name"] != other.protocol["model"]["name"]:
        del protocol["model"]
    return protocol


def _list_surroundings(record: Record) -> dict[str, Any]:
    """Return whatever may decide a number and is not part of a run's identity."""
    return {
        "evaluation images": record.eval_images,
        "device": record.hardware.get("device"),
        "devices": record.hardware.get("devices"),
        "processor": record.hardware.get("name"),
        **record.versions,
        # As short as git prints it.
        "commit": record.commit and record.commit[:7],
        "working tree": _TREE_WORDS[record.dirty],
    }


def _spell_value(value: Any) -> str:
    return "unknown" if value is None else str(value)
