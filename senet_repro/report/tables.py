"""The paper's tables rebuilt from records, published figures beside ours (report floor).

A record belongs to a table's row when their canonical forms agree, so one training serves every table that has its
point. What the records of one table change in the paper's own protocol (data, network, recipe, how SE is written down,
code version, how many images were evaluated) is the same for all its rows; records that change something else make a
table of their own, and those with one heading say in what they differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from senet_repro.config.canonical import AXIS_DEFAULTS, canonical, canonical_se, key_of
from senet_repro.config.schema import PaperTable, Row
from senet_repro.config.tables import paper_run, paper_tables
from senet_repro.report.protocols import (
    Difference,
    Form,
    Protocol,
    changed_form,
    departures,
    distinctions,
    protocols,
)
from senet_repro.results.record import Record
from senet_repro.results.statistics import Estimate, estimate
from senet_repro.results.store import Results


@dataclass(frozen=True)
class ResultRow:
    """One row: what the paper prints and what our records say."""

    name: str
    paper: Row
    form: Form | None  # the protocol it has in this table; none where it is only cited
    records: list[Record] = field(default_factory=list)  # one per seed
    failed: list[str] = field(default_factory=list)  # reasons
    top1_err_pct: Estimate | None = None
    top5_err_pct: Estimate | None = None
    top1_delta_pct: Estimate | None = None  # to the baseline row, paired by seed
    top5_delta_pct: Estimate | None = None

    @property
    def seeds(self) -> list[int]:
        """The seeds it was run with."""
        return [record.seed for record in self.records]

    @property
    def params(self) -> int | None:
        """Trainable parameters, the same for every seed."""
        return self.records[0].params if self.records else None

    @property
    def macs(self) -> int | None:
        """Multiply-adds of one image, the same for every seed."""
        return self.records[0].macs if self.records else None


@dataclass(frozen=True)
class ResultTable:
    """One table of the paper under one protocol."""

    paper: PaperTable
    rows: list[ResultRow]
    example: Record  # any of its records
    departures: list[str]  # what differs from the paper's protocol
    distinctions: list[str]  # what differs from other tables here of the same data and network
    seeds: list[int]
    stands_for: str | None  # the data of the paper, where ours is a proxy

    def is_baseline(self, row: ResultRow) -> bool:
        """Whether others are compared to this row."""
        return row.name in map(self.paper.baseline_of, self.paper.rows)

    def paper_delta(self, row: ResultRow, error: str) -> float | None:
        """The published difference of `error` (a field of Row) to the row's baseline."""
        baseline = self.paper.baseline_of(row.name)
        value, base = getattr(row.paper, error), baseline and getattr(self.paper.rows[baseline], error)
        return None if value is None or base is None else value - base


def build_tables(results: Results, papers: Sequence[PaperTable]) -> list[ResultTable]:
    """Every table that has a record, once per protocol found.

    A protocol that is some table's own stays out of the tables that have another: the paper's ResNet-50 of Table 2 and
    that of section 6 differ by a point and a half.
    """
    found = protocols(results.records)
    own = [any(_difference(paper, protocol) == {} for paper in paper_tables().values()) for protocol in found]
    tables = []
    for paper in papers:
        versions: dict[str, _Version] = {}
        for protocol, has_own in zip(found, own, strict=True):
            difference = _difference(paper, protocol)
            if difference is not None and not (difference and has_own):
                version = versions.setdefault(json.dumps(difference, sort_keys=True), _Version(difference))
                version.protocols.append(protocol)
        filled = [(version, rows) for version in versions.values() if (rows := _rows(paper, version, results.failures))]
        tables += [_table(paper, version, rows, [other for other, _ in filled]) for version, rows in filled]
    return tables


@dataclass(frozen=True)
class _Version:
    """A table under one protocol, whose networks may be several."""

    difference: Difference
    protocols: list[Protocol] = field(default_factory=list)


def _difference(paper: PaperTable, protocol: Protocol) -> Difference | None:
    """What a protocol changes in the table's own for its network; none where no row is for that network."""
    name = protocol.form["model"]["name"]
    rows = [row for row in paper.rows.values() if row.axes is not None and row.axes.get("model", name) == name]
    return protocol.difference(_paper_form(paper, rows[0])) if rows else None


def _table(paper: PaperTable, own: _Version, rows: list[ResultRow], versions: Sequence[_Version]) -> ResultTable:
    records = [record for row in rows for record in row.records]
    first = own.protocols[0]
    others = [version.protocols[0] for version in versions]
    headed_alike = [
        other for other in others if all(other.form[p]["name"] == first.form[p]["name"] for p in ("data", "model"))
    ]
    forms = [_paper_form(paper, row.paper) for row in rows if row.records]
    return ResultTable(
        paper,
        rows,
        records[0],
        departures(own.difference, forms),
        distinctions(first, headed_alike),
        sorted({record.seed for record in records}),
        forms[0]["data"]["name"] if "data.name" in own.difference else None,
    )


def _paper_form(paper: PaperTable, row: Row) -> Form:
    run = paper_run(paper, row)
    return {**canonical(run), "se": asdict(run.se)}


def _rows(paper: PaperTable, version: _Version, failures: Mapping[tuple[str, int], str]) -> list[ResultRow]:
    """The rows, or none where no record belongs to any."""
    forms = {
        name: changed_form(_paper_form(paper, row), version.difference)
        for name, row in paper.rows.items()
        if row.axes is not None
    }
    keys = {name: _run_key(paper.rows[name], form) for name, form in forms.items()}
    records = [record for protocol in version.protocols for record in protocol.records]
    found = {name: [record for record in records if record.run_key == keys.get(name)] for name in paper.rows}
    if not any(found.values()):
        return []
    rows = []
    for name, row in paper.rows.items():
        failed = [reason for (key, _), reason in failures.items() if key == keys.get(name)]
        rows.append(_row(name, row, forms.get(name), found[name], found.get(paper.baseline_of(name) or "", []), failed))
    return rows


def _run_key(row: Row, form: Form) -> str:
    axes = {**AXIS_DEFAULTS, **(row.axes or {})}
    return key_of({**form, "se": canonical_se(axes, form["se"], form["model"]["stages"])})


def _row(
    name: str, paper: Row, form: Form | None, records: list[Record], baseline: list[Record], failed: list[str]
) -> ResultRow:
    if not records:
        return ResultRow(name, paper, form, failed=failed)
    by_seed = {record.seed: record.metrics for record in records}
    base = {record.seed: record.metrics for record in baseline if record.seed in by_seed}

    def own(error: str) -> Estimate:
        return estimate([metrics[error] for metrics in by_seed.values()])

    def delta(error: str) -> Estimate | None:
        return estimate([by_seed[seed][error] - base[seed][error] for seed in base]) if base else None

    return ResultRow(
        name,
        paper,
        form,
        sorted(records, key=lambda record: record.seed),
        failed,
        own("top1_err_pct"),
        own("top5_err_pct"),
        delta("top1_err_pct"),
        delta("top5_err_pct"),
    )
