"""The paper's tables rebuilt from records, published figures beside ours (report floor).

A record belongs to a table's row when their identities agree, so one training serves every table that has its point.
The records of one table change the same in the paper's own protocol (data, network, recipe, how SE is written down,
code version, how many images were evaluated); records that change something else make a table of their own, and tables
with one heading say in what they differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from senet_repro.config.paper_tables import names_networks, paper_protocol, paper_tables
from senet_repro.config.schema import PaperTable, Row
from senet_repro.core.choice import require_choice
from senet_repro.report.tables.contrasts import Term, estimate_contrast, find_least_sd
from senet_repro.report.tables.departures import Departure
from senet_repro.report.tables.groups import describe_distinctions, group_records
from senet_repro.report.tables.origins import select_reported
from senet_repro.report.tables.planned_seeds import choose_plan, select_planned
from senet_repro.report.tables.protocols import Protocol, describe_departures
from senet_repro.report.tables.seen_sets import (
    describe_set,
    describe_set_departure,
    is_whole_set,
)
from senet_repro.report.tables.standing import Standing
from senet_repro.report.tables.variants import TableVariant, VariantRow, find_variants
from senet_repro.results.campaign import EVERY_CLAIM, PLAN_FILE, Campaign, SmallestEffect
from senet_repro.results.metrics import Metric, printed_metrics
from senet_repro.results.record import Record
from senet_repro.results.reported import ReportedRun
from senet_repro.results.store import Results
from senet_repro.stats.estimates import Estimate, estimate_mean
from senet_repro.tasks import find_task


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """One row: what the paper prints and what our records say."""

    name: str
    paper: Row
    protocol: Protocol | None  # that it has in this table; None where the paper only cites it
    run_key: str | None
    records: list[Record]  # one per seed that counts
    failed: dict[int, str]  # reason by seed
    unplanned: list[Record] = field(default_factory=list)  # of seeds that the plan does not hold
    estimates: dict[str, Estimate] = field(default_factory=dict)  # by the name of a metric
    # To the baseline row, paired by seed; by the name of a metric.
    differences: dict[str, Estimate] = field(default_factory=dict)

    @property
    def is_cited(self) -> bool:
        """Return whether the paper only cites the row, and it is not offered here."""
        return self.protocol is None

    @property
    def seeds(self) -> list[int]:
        """Return the seeds it was run with, those alone that count."""
        return sorted(record.seed for record in self.records)

    @property
    def all_records(self) -> list[Record]:
        """Return its records, with those of seeds that do not count."""
        return [*self.records, *self.unplanned]

    def list_runs(self, metric: Metric) -> dict[int, Record] | float | None:
        """Return its records by seed, or the published figure of a row that the paper only cites.

        None is returned for a cited row without that figure.
        """
        if self.is_cited:
            return self.paper.published(metric.name)
        return {record.seed: record for record in self.records}

    @property
    def params(self) -> int | None:
        """Return the trainable parameters, the same for every seed, or None without records."""
        if not self.records:
            return None
        return self.records[0].params

    @property
    def macs(self) -> int | None:
        """Return the multiply-adds of one image, the same for every seed, or None without records."""
        if not self.records:
            return None
        return self.records[0].macs


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """One table of the paper under one protocol."""

    paper: PaperTable
    rows: list[ResultRow]
    example: Record  # any of its records
    changes: list[Departure]  # settings that differ from the paper's protocol
    distinctions: list[
        str
    ]  # settings that differ from other tables here of the same data and network
    seeds: list[int]
    stands_for: str | None  # the data of the paper, where ours is a proxy
    code_versions: dict[int, int] = field(default_factory=dict)  # how many of its records each has
    # Of tables here that differ from it in nothing else.
    other_code_versions: list[int] = field(default_factory=list)
    # Left out for a newer code version's of the same run and seed.
    superseded: list[Record] = field(default_factory=list)
    # Left out for one of the same run and seed that was finished before, and started from another file.
    other_files: list[Record] = field(default_factory=list)
    # Rows of other tables, for claims that compare with them.
    beside: list[ResultRow] = field(default_factory=list)
    plan: Mapping[str, Any] | None = None  # that decides which seeds count, as its records keep it
    campaign: Campaign | None = None  # the plan in the results folder, as it is now
    # The runs of its rows that others reported, those that count included.
    reported: list[ReportedRun] = field(default_factory=list)

    def find_smallest_effect(self, says: str) -> SmallestEffect | None:
        """Return the smallest effect that the campaign's plan names for a claim of this table; None without one."""
        # A figure of the campaign's is for what was trained under its plan, and for no other protocol in the folder.
        if self.campaign is None or self.plan is None or self.plan["id"] != PLAN_FILE:
            return None
        planned = self.campaign.tables.get(self.paper.name)
        effects = planned.smallest_effects if planned else {}
        return effects.get(says, effects.get(EVERY_CLAIM))

    @property
    def offered_rows(self) -> list[ResultRow]:
        """Return the rows that can be run here, and that the paper does not only cite."""
        return [row for row in self.rows if not row.is_cited]

    @property
    def run_rows(self) -> list[ResultRow]:
        """Return the rows that have a record."""
        return [row for row in self.rows if row.records]

    @property
    def metrics(self) -> list[Metric]:
        """Return the metrics that the table prints, the most important one first."""
        return list_table_metrics(self.paper)

    @property
    def set_name(self) -> str:
        """Return the name of the set that its numbers are of, and how much of it there was where it was not whole."""
        return describe_set(self.example)

    @property
    def departures(self) -> list[str]:
        """Return the settings that differ from the paper's protocol, the paper's values in brackets."""
        return [str(change) for change in self.changes]

    @property
    def standing(self) -> Standing:
        """Return how far its numbers can stand for the paper's."""
        if self.stands_for is not None:
            return Standing.PROXY
        if self.changes:
            return Standing.CHANGED
        return Standing.PAPERS_OWN

    def is_baseline(self, row: ResultRow) -> bool:
        """Return whether other rows are compared to this one."""
        return row.name in map(self.paper.baseline_of, self.paper.rows)

    def paper_delta(self, row: ResultRow, figure: str) -> float | None:
        """Return the published difference of a figure to the row's baseline; None where either is not published."""
        baseline = self.paper.baseline_of(row.name)
        if baseline is None:
            return None
        value = row.paper.published(figure)
        base = self.paper.rows[baseline].published(figure)
        if value is None or base is None:
            return None
        return value - base


def build_tables(
    results: Results, papers: Sequence[PaperTable], allow_mixed: bool = False
) -> list[ResultTable]:
    """Return every table that has a record, once for each way in which its protocol was changed.

    The records have the metric by which their task's tables compare, see `load_printable_results`; of another one that
    a record lacks the row has no estimate. With `allow_mixed` records that differ in nothing but their code version
    share a table, which says so.

    An ablation's table whose records all stand in an experiment's is left out: the paper trains the networks of Table 2
    otherwise than those of section 6.
    """
    # Of every table, since what stands in an experiment's is left out of an ablation's.
    groups = group_records(results.records, allow_mixed)
    variants = {paper.name: find_variants(paper, groups) for paper in paper_tables().values()}
    in_experiments = _collect_experiments_records(variants)
    failures = _group_failures(results.failures)
    tables = []
    for paper in papers:
        _check_figures(paper)
        shown = [one for one in variants[paper.name] if _has_news(one, in_experiments)]
        for variant in shown:
            table = _build_table(variant, shown, failures, results.campaign)
            reported = select_reported([*table.rows, *table.beside], results.reported)
            tables.append(replace(table, reported=reported))
    return tables


def _check_figures(paper: PaperTable) -> None:
    """Accept a table whose published figures bear the names of its task's metrics.

    Raises:
        ConfigError: a figure bears another name, and no row would ever show it.
    """
    names = [metric.name for metric in find_task(paper.task).metrics]
    for name, row in {**paper.beside, **paper.rows}.items():
        for figure in (*row.figures, *row.cited):
            require_choice(f"table {paper.name}: row {name}: figures", figure, names)


def list_table_metrics(paper: PaperTable) -> list[Metric]:
    """Return the metrics that a table of the paper prints here, the most important one first."""
    return printed_metrics(find_task(paper.task).metrics)


def count_code_versions(records: Sequence[Record]) -> dict[int, int]:
    """Return how many of some records each code version has."""
    counts = Counter(record.protocol["code_version"] for record in records)
    return dict(sorted(counts.items()))


def _collect_experiments_records(variants: Mapping[str, Sequence[TableVariant]]) -> set[int]:
    """Return the id() of every record that stands in an experiment's table."""
    found: set[int] = set()
    for name, own in variants.items():
        if not names_networks(paper_tables()[name]):
            continue
        for variant in own:
            found.update(id(record) for record in variant.all_records)
    return found


def _has_news(variant: TableVariant, in_experiments: set[int]) -> bool:
    """Return whether a variant shows more than some experiment's table does."""
    if names_networks(variant.paper) or not variant.changes_protocol:
        return True
    return any(id(record) not in in_experiments for record in variant.all_records)


def _group_failures(failures: Mapping[tuple[str, int], str]) -> dict[str, dict[int, str]]:
    """Return the reasons of failed runs by run key, then by seed."""
    grouped: dict[str, dict[int, str]] = {}
    for (run_key, seed), reason in failures.items():
        grouped.setdefault(run_key, {})[seed] = reason
    return grouped


def _build_table(
    variant: TableVariant,
    shown: Sequence[TableVariant],
    failures: Mapping[str, dict[int, str]],
    campaign: Campaign | None,
) -> ResultTable:
    """Return the table of a variant; `shown` are all variants of that table which are shown."""
    paper = variant.paper
    plan = choose_plan(variant.all_records, paper.name)
    rows = []
    for name, row in paper.rows.items():
        rows.append(_build_row(name, row, variant.rows[name], failures, plan))
    beside = []
    for name, row in paper.beside.items():
        beside.append(_build_row(name, row, variant.beside[name], failures, plan))
    rows = _estimate_rows(paper, rows)
    with_records = [row for row in rows if row.records]
    papers = [paper_protocol(paper, row.paper) for row in with_records]
    headed_alike = [other.group for other in shown if _is_headed_alike(variant, other)]
    example = with_records[0].records[0]
    changes = describe_departures(variant.difference, papers)
    set_departure = describe_set_departure(example)
    if set_departure:
        changes.append(set_departure)
    # Other data than the paper's, and a part of them, make a proxy; another recipe on the same data does not.
    is_other_set = not {"data.name", "data.subset"}.isdisjoint(variant.difference)
    is_proxy = is_other_set or not is_whole_set(example)
    return ResultTable(
        paper=paper,
        rows=rows,
        example=example,
        changes=changes,
        distinctions=describe_distinctions(variant.group, headed_alike),
        seeds=sorted({seed for row in with_records for seed in row.seeds}),
        stands_for=papers[0]["data"]["name"] if is_proxy else None,
        code_versions=count_code_versions(variant.all_records),
        other_code_versions=_list_other_code_versions(variant, shown),
        superseded=variant.superseded,
        other_files=variant.other_files,
        beside=beside,
        plan=plan,
        campaign=campaign,
    )


def _build_row(
    name: str,
    paper: Row,
    own: VariantRow,
    failures: Mapping[str, dict[int, str]],
    plan: Mapping[str, Any] | None,
) -> ResultRow:
    """Return a row without its estimates, its records parted into those that count and those that do not."""
    counted, unplanned = select_planned(own.records, plan)
    return ResultRow(
        name=name,
        paper=paper,
        protocol=own.protocol,
        run_key=own.run_key,
        records=counted,
        unplanned=unplanned,
        failed=failures.get(own.run_key or "", {}),
    )


def _estimate_rows(paper: PaperTable, rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the rows with the mean of each metric and its difference to the row's baseline."""
    metrics = list_table_metrics(paper)
    by_name = {row.name: row for row in rows}
    estimated = []
    for row in rows:
        baseline = by_name.get(paper.baseline_of(row.name) or "")
        estimates = _estimate_metrics(row, metrics)
        differences = {}
        if baseline:
            differences = _estimate_differences(row, baseline, metrics)
        estimated.append(replace(row, estimates=estimates, differences=differences))
    return estimated


def _estimate_metrics(row: ResultRow, metrics: Sequence[Metric]) -> dict[str, Estimate]:
    """Return the mean of each metric over the seeds; nothing of a metric that a record was made without."""
    by_seed = {record.seed: record.metrics for record in row.records}
    estimates = {}
    for metric in metrics:
        # In the order of seeds, so that sums round alike whatever the order of records.
        values = [by_seed[seed].get(metric.name) for seed in row.seeds]
        measured = [value for value in values if value is not None]
        if measured and len(measured) == len(values):
            estimates[metric.name] = estimate_mean(measured, find_least_sd(row.records, metric))
    return estimates


def _estimate_differences(
    row: ResultRow, baseline: ResultRow, metrics: Sequence[Metric]
) -> dict[str, Estimate]:
    """Return the differences of a row to its baseline over the seeds that both have; nothing without such seeds."""
    # A row that is only cited has no difference of ours.
    if row.is_cited or baseline.is_cited:
        return {}
    shared = sorted(set(row.seeds) & set(baseline.seeds))
    differences = {}
    for metric in metrics:
        own_term = Term(1.0, row.list_runs(metric))
        baseline_term = Term(-1.0, baseline.list_runs(metric))
        terms = [own_term, baseline_term]
        difference = estimate_contrast(terms, metric, shared)
        if difference is not None:
            differences[metric.name] = difference
    return differences


def _is_headed_alike(variant: TableVariant, other: TableVariant) -> bool:
    """Return whether two variants of a table have one heading: the same data and network."""
    ours, theirs = variant.group.protocol, other.group.protocol
    has_same_data = ours["data"]["name"] == theirs["data"]["name"]
    has_same_network = ours["model"]["name"] == theirs["model"]["name"]
    return bool(has_same_data and has_same_network)


def _list_other_code_versions(variant: TableVariant, shown: Sequence[TableVariant]) -> list[int]:
    return sorted(
        other.group.code_version for other in shown if variant.differs_in_code_alone(other)
    )
