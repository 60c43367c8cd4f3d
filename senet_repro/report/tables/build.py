"""The paper's tables rebuilt from records, published figures beside ours (report floor).

A record belongs to a table's row when their canonical forms agree, so one training serves every table that has its
point. What the records of one table change in the paper's own protocol (data, network, recipe, how SE is written down,
code version, how many images were evaluated) is the same for all its rows; records that change something else make a
table of their own, and those with one heading say in what they differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from senet_repro.config.paper_tables import names_networks, paper_tables
from senet_repro.config.schema import PaperTable, Row
from senet_repro.report.tables.protocols import Form, departures, distinctions, protocols
from senet_repro.report.tables.versions import Version, paper_form, versions
from senet_repro.results.metrics import Metric, printed_metrics
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from senet_repro.stats.estimates import Estimate, estimate_mean
from senet_repro.tasks import find_task


@dataclass(frozen=True)
class ResultRow:
    """One row: what the paper prints and what our records say."""

    name: str
    paper: Row
    form: Form | None  # the protocol it has in this table; none where it is only cited
    run_key: str | None
    records: list[Record]  # one per seed
    failed: dict[int, str]  # reason by seed
    estimates: dict[str, Estimate] = field(default_factory=dict)  # by the name of a metric
    # To the baseline row, paired by seed; by the name of a metric.
    differences: dict[str, Estimate] = field(default_factory=dict)

    def with_estimates(self, baseline: Sequence[Record], metrics: Sequence[Metric]) -> ResultRow:
        """Return this row with an estimate of each metric, and of its difference to the records of the baseline."""
        if not self.records:
            return self
        by_seed = {record.seed: record.metrics for record in self.records}
        base = {record.seed: record.metrics for record in baseline if record.seed in by_seed}
        estimates, differences = {}, {}
        for metric in metrics:
            name = metric.name
            estimates[name] = estimate_mean([by_seed[seed][name] for seed in sorted(by_seed)])
            if base:
                differences[name] = estimate_mean(
                    [by_seed[seed][name] - base[seed][name] for seed in base]
                )
        return replace(self, estimates=estimates, differences=differences)

    @property
    def seeds(self) -> list[int]:
        """The seeds it was run with."""
        return sorted(record.seed for record in self.records)

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
    code_versions: dict[int, int] = field(default_factory=dict)  # how many of its records each has
    other_code_versions: list[int] = field(
        default_factory=list
    )  # of tables here that differ from it in nothing else
    superseded: list[Record] = field(
        default_factory=list
    )  # left out for a newer code version's of the same run and seed
    beside: list[ResultRow] = field(
        default_factory=list
    )  # rows of other tables, for claims that compare with them

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that the table prints, the most important one first."""
        return printed_metrics(find_task(self.example.task).metrics)

    def is_baseline(self, row: ResultRow) -> bool:
        """Whether others are compared to this row."""
        return row.name in map(self.paper.baseline_of, self.paper.rows)

    def paper_delta(self, row: ResultRow, error: str) -> float | None:
        """The published difference of `error` (a field of Row) to the row's baseline."""
        baseline = self.paper.baseline_of(row.name)
        value, base = (
            row.paper.published(error),
            self.paper.rows[baseline].published(error) if baseline else None,
        )
        return None if value is None or base is None else value - base


def build_tables(
    results: Results, papers: Sequence[PaperTable], allow_mixed: bool = False
) -> list[ResultTable]:
    """Every table that has a record, once for each way in which its protocol was changed.

    With `allow_mixed` records that differ in nothing but their code version share a table, which says so.

    An ablation's table whose records all stand in an experiment's is left out: the paper trains the networks of Table 2
    otherwise than those of section 6.
    """
    found = protocols(results.records, allow_mixed)
    by_table = {paper.name: versions(paper, found) for paper in paper_tables().values()}
    in_experiments = {
        id(record)
        for name, own in by_table.items()
        if names_networks(paper_tables()[name])
        for version in own
        for row in version.records.values()
        for record in row
    }
    tables = []
    for paper in papers:
        shown = [version for version in by_table[paper.name] if _is_news(version, in_experiments)]
        tables += [_table(version, shown, results.failures) for version in shown]
    return tables


def code_versions(records: Sequence[Record]) -> dict[int, int]:
    """How many of some records each code version has."""
    return dict(sorted(Counter(record.identity["code_version"] for record in records).items()))


def _is_news(version: Version, in_experiments: set[int]) -> bool:
    if names_networks(version.paper) or not version.difference:
        return True
    return any(
        id(record) not in in_experiments for row in version.records.values() for record in row
    )


def _table(
    version: Version, shown: Sequence[Version], failures: Mapping[tuple[str, int], str]
) -> ResultTable:
    paper, found = version.paper, version.records

    def result(name: str, row: Row) -> ResultRow:
        key = version.run_key(row)
        failed = {seed: reason for (run, seed), reason in failures.items() if run == key}
        return ResultRow(
            name, row, version.form(row) if key else None, key, version.records_of(row), failed
        )

    (example,) = [record for records in found.values() for record in records][:1]
    metrics = printed_metrics(find_task(example.task).metrics)
    rows = [
        result(name, row).with_estimates(found.get(paper.baseline_of(name) or "", []), metrics)
        for name, row in paper.rows.items()
    ]
    run = [row for row in rows if row.records]
    first = version.protocols[0]
    headed_alike = [
        other.protocols[0]
        for other in shown
        if all(
            other.protocols[0].form[part]["name"] == first.form[part]["name"]
            for part in ("data", "model")
        )
    ]
    forms = [paper_form(paper, row.paper) for row in run]
    return ResultTable(
        paper,
        rows,
        run[0].records[0],
        departures(version.difference, forms),
        distinctions(first, headed_alike),
        sorted({seed for row in run for seed in row.seeds}),
        forms[0]["data"]["name"] if "data.name" in version.difference else None,
        code_versions([record for row in run for record in row.records]),
        sorted(
            other.code_version
            for other in shown
            if other is not version and other.is_but_for_code(version)
        ),
        version.superseded,
        [result(name, row) for name, row in paper.beside.items()],
    )
