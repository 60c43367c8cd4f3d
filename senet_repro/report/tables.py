"""The paper's tables rebuilt from records, published figures beside ours (report floor).

A record belongs to a table's row when their canonical forms agree, so one training serves every table that has its
point. Records that differ in anything but the five axes (data, network, recipe, how SE is written down, code version,
how many images were evaluated) make tables of their own, and those with one heading say in what they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from senet_repro.config.canonical import AXIS_DEFAULTS, canonical_se, key_of
from senet_repro.config.schema import PaperTable, Row
from senet_repro.report.protocols import Form, by_protocol, departures, distinctions
from senet_repro.results.record import Record
from senet_repro.results.statistics import Estimate, estimate
from senet_repro.results.store import Results


@dataclass(frozen=True)
class ResultRow:
    """One row: what the paper prints and what our records say."""

    name: str
    paper: Row
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
    example: Record  # any of its records: they agree in all but the axes and the seed
    protocol: Form  # what they agree in
    departures: list[str]  # what differs from the paper's protocol
    distinctions: list[str]  # what differs from other tables here of the same data and network
    seeds: list[int]

    def paper_delta(self, row: ResultRow, error: str) -> float | None:
        """The published difference of `error` (a field of Row) to the baseline row."""
        value, base = getattr(row.paper, error), getattr(self.paper.rows[self.paper.baseline], error)
        return None if value is None or base is None or row.name == self.paper.baseline else value - base


def build_tables(results: Results, papers: Sequence[PaperTable], paper_form: Form) -> list[ResultTable]:
    """Every table that has a record, once per protocol found; `paper_form` is the paper's own in canonical form."""
    tables = []
    protocols = by_protocol(results.records)
    for protocol, records in protocols.values():
        headed_alike = [
            other
            for other, _ in protocols.values()
            if all(other[part]["name"] == protocol[part]["name"] for part in ("data", "model"))
        ]
        departed, distinct = departures(protocol, paper_form), distinctions(protocol, headed_alike)
        for paper in papers:
            rows = _rows(paper, protocol, records, results.failures)
            found = [record for row in rows for record in row.records]
            if found:
                seeds = sorted({record.seed for record in found})
                tables.append(ResultTable(paper, rows, found[0], protocol, departed, distinct, seeds))
    return sorted(tables, key=lambda table: table.paper.number or 1000)


def _rows(
    paper: PaperTable, protocol: Form, records: Sequence[Record], failures: Mapping[tuple[str, int], str]
) -> list[ResultRow]:
    form = {name: value for name, value in protocol.items() if name != "eval_images"}
    keys = {
        name: key_of(
            {**form, "se": canonical_se({**AXIS_DEFAULTS, **row.axes}, protocol["se"], protocol["model"]["stages"])}
        )
        for name, row in paper.rows.items()
    }
    found = {name: [record for record in records if record.run_key == key] for name, key in keys.items()}
    return [
        _row(
            name,
            row,
            found[name],
            [] if name == paper.baseline else found[paper.baseline],
            [reason for (key, _), reason in failures.items() if key == keys[name]],
        )
        for name, row in paper.rows.items()
    ]


def _row(name: str, paper: Row, records: list[Record], baseline: list[Record], failed: list[str]) -> ResultRow:
    if not records:
        return ResultRow(name, paper, failed=failed)
    by_seed = {record.seed: record.metrics for record in records}
    base = {record.seed: record.metrics for record in baseline if record.seed in by_seed}

    def own(error: str) -> Estimate:
        return estimate([metrics[error] for metrics in by_seed.values()])

    def delta(error: str) -> Estimate | None:
        return estimate([by_seed[seed][error] - base[seed][error] for seed in base]) if base else None

    return ResultRow(
        name,
        paper,
        sorted(records, key=lambda record: record.seed),
        failed,
        own("top1_err_pct"),
        own("top5_err_pct"),
        delta("top1_err_pct"),
        delta("top5_err_pct"),
    )
