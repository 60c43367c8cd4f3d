"""The paper's tables rebuilt from records, published figures beside ours (report floor).

A record belongs to a table's row when their canonical forms agree, so one training serves every table that has its
point. Records that differ in anything but SE (data, network, recipe, precision) make tables of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from senet_repro.config.canonical import AXIS_DEFAULTS, canonical_se, key_of
from senet_repro.config.schema import PaperTable, Row
from senet_repro.results.record import Record
from senet_repro.results.statistics import Estimate, estimate
from senet_repro.results.store import Results

Form = dict[str, Any]


@dataclass(frozen=True)
class ResultRow:
    """One row: what the paper prints and what our records say."""

    name: str
    paper: Row
    seeds: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # reasons
    top1_err_pct: Estimate | None = None
    top5_err_pct: Estimate | None = None
    top1_delta_pct: Estimate | None = None  # to the baseline row, paired by seed
    top5_delta_pct: Estimate | None = None
    params: int | None = None
    macs: int | None = None


@dataclass(frozen=True)
class ResultTable:
    """One table of the paper under one protocol."""

    paper: PaperTable
    rows: list[ResultRow]
    example: Record  # any of its records: they agree in all but SE and seed
    departures: list[str]  # what differs from the paper's protocol
    seeds: list[int]

    def paper_delta(self, row: ResultRow, error: str) -> float | None:
        """The published difference of `error` (a field of Row) to the baseline row."""
        value, base = getattr(row.paper, error), getattr(self.paper.rows[self.paper.baseline], error)
        return None if value is None or base is None or row.name == self.paper.baseline else value - base


def build_tables(results: Results, papers: Iterable[PaperTable], paper_form: Form) -> list[ResultTable]:
    """Every table that has a record, once per protocol found; `paper_form` is the paper's own in canonical form."""
    protocols: dict[str, list[Record]] = defaultdict(list)
    for record in results.records:
        protocols[key_of(_protocol(record.canonical))].append(record)
    tables = []
    for records in protocols.values():
        departures = _departures(records[0].canonical, paper_form)
        by_key: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            by_key[record.run_key].append(record)
        for paper in papers:
            for style in _styles(records):
                table = _table(paper, style, by_key, results.failures, departures)
                tables += [table] if table else []
    return sorted(tables, key=lambda table: table.paper.number or 1000)


def _protocol(form: Mapping[str, Any]) -> Form:
    return {name: value for name, value in form.items() if name != "se"}


def _styles(records: Sequence[Record]) -> list[Form]:
    """How the records write SE down (fc, bias); plain networks belong to every style."""
    styles = {(se["fc"], se["bias"]) for se in (record.canonical["se"] for record in records) if se}
    return [{"fc": fc, "bias": bias} for fc, bias in sorted(styles or {("linear", False)})]


def _table(
    paper: PaperTable,
    style: Form,
    by_key: Mapping[str, list[Record]],
    failures: Mapping[tuple[str, int], str],
    departures: list[str],
) -> ResultTable | None:
    example = next(iter(by_key.values()))[0]
    form, stages = example.canonical, example.canonical["model"]["stages"]
    keys = {
        name: key_of({**form, "se": canonical_se({**AXIS_DEFAULTS, **row.axes}, style, stages)})
        for name, row in paper.rows.items()
    }
    found = {name: {record.seed: record for record in by_key.get(key, [])} for name, key in keys.items()}
    if not any(found.values()):
        return None
    rows = []
    for name, row in paper.rows.items():
        failed = [reason for (key, _), reason in failures.items() if key == keys[name]]
        baseline = {} if name == paper.baseline else found[paper.baseline]
        rows.append(_row(name, row, found[name], baseline, failed))
    seeds = sorted({seed for records in found.values() for seed in records})
    return ResultTable(paper, rows, next(r for records in found.values() for r in records.values()), departures, seeds)


def _row(
    name: str, paper: Row, records: Mapping[int, Record], baseline: Mapping[int, Record], failed: list[str]
) -> ResultRow:
    if not records:
        return ResultRow(name, paper, failed=failed)
    seeds = sorted(records)
    common = [seed for seed in seeds if seed in baseline]

    def own(error: str) -> Estimate:
        return estimate([records[seed].metrics[error] for seed in seeds])

    def delta(error: str) -> Estimate | None:
        differences = [records[seed].metrics[error] - baseline[seed].metrics[error] for seed in common]
        return estimate(differences) if differences else None

    first = records[seeds[0]]
    return ResultRow(
        name,
        paper,
        seeds,
        failed,
        own("top1_err_pct"),
        own("top5_err_pct"),
        delta("top1_err_pct"),
        delta("top5_err_pct"),
        first.params,
        first.macs,
    )


def _departures(form: Form, paper_form: Form) -> list[str]:
    """Where a protocol differs from the paper's, in a reader's words; the paper's value stands in brackets."""
    named = []
    for part, word in (("data", "data"), ("model", "network")):
        ours, paper = form[part], paper_form[part]
        # Another set or network differs in everything, and its name says so.
        keys = ["name"] if ours["name"] != paper["name"] else ours.keys()
        named += [_departure(word if key == "name" else key, ours[key], paper[key]) for key in keys]
    ours, paper = form["recipe"], paper_form["recipe"]
    named += [_departure(key, ours[key], paper[key]) for key in ours if key != "schedule"]
    named.append(_departure("precision", form["precision"], paper_form["precision"]))
    ours, paper = form["recipe"]["schedule"], paper_form["recipe"]["schedule"]
    named.append(_departure("schedule", ours["kind"], paper["kind"]))
    if ours["kind"] == paper["kind"]:
        named += [_departure(f"schedule {key}", ours[key], paper[key]) for key in ours]
    return [departure for departure in named if departure]


def _departure(what: str, ours: Any, paper: Any) -> str:
    return "" if ours == paper else f"{what.replace('_', ' ')} {ours} ({paper})"
