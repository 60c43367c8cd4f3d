"""The paper's tables rebuilt from records, published figures beside ours (report floor).

A record belongs to a table's row when their canonical forms agree, so one training serves every table that has its
point. Records that differ in anything but the five axes (data, network, recipe, how SE is written down, code version,
how many images were evaluated) make tables of their own, and those with one heading say in what they differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from senet_repro.config.canonical import AXIS_DEFAULTS, canonical_se, key_of
from senet_repro.config.schema import SE, PaperTable, Row
from senet_repro.results.record import Record
from senet_repro.results.statistics import Estimate, estimate
from senet_repro.results.store import Results

Form = dict[str, Any]

PAPER_EVAL_IMAGES = 50_000
"""ImageNet's validation set, on which every error of the paper's classification tables is counted."""


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
    protocols = _by_protocol(results.records)
    for protocol, records in protocols.values():
        headed_alike = [
            other
            for other, _ in protocols.values()
            if all(other[part]["name"] == protocol[part]["name"] for part in ("data", "model"))
        ]
        departures, distinctions = _departures(protocol, paper_form), _distinctions(protocol, headed_alike)
        for paper in papers:
            rows = _rows(paper, protocol, records, results.failures)
            found = [record for row in rows for record in row.records]
            if found:
                seeds = sorted({record.seed for record in found})
                tables.append(ResultTable(paper, rows, found[0], protocol, departures, distinctions, seeds))
    return sorted(tables, key=lambda table: table.paper.number or 1000)


def _by_protocol(records: Sequence[Record]) -> dict[str, tuple[Form, list[Record]]]:
    """Records by what they agree in but the axes; a network without SE belongs to every way of writing SE down."""
    shared: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        shared[key_of({**_without_se(record.canonical), "eval_images": record.eval_images})].append(record)
    protocols = {}
    for group in shared.values():
        forms = [record.canonical["se"] for record in group if record.canonical["se"]]
        styles = {(form["fc"], form["bias"]) for form in forms} or {(SE.fc, SE.bias)}
        for fc, bias in sorted(styles):
            style = {"fc": fc, "bias": bias}
            members = [r for r in group if not r.canonical["se"] or style.items() <= r.canonical["se"].items()]
            protocol = {**_without_se(group[0].canonical), "se": style, "eval_images": group[0].eval_images}
            protocols[key_of(protocol)] = (protocol, members)
    return protocols


def _without_se(form: Form) -> Form:
    return {name: value for name, value in form.items() if name != "se"}


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


def _departures(protocol: Form, paper_form: Form) -> list[str]:
    """Where a protocol differs from the paper's, in a reader's words; the paper's value stands in brackets."""
    paper = {**paper_form, "se": {key: paper_form["se"][key] for key in protocol["se"]}}
    ours, theirs = _flat(protocol), _flat(paper)
    # Other data and another network differ in everything, and their names say so.
    renamed = [part for part in ("data", "model") if protocol[part]["name"] != paper[part]["name"]]
    if protocol["recipe"]["schedule"]["kind"] != paper["recipe"]["schedule"]["kind"]:
        renamed.append("schedule")
    if "data" not in renamed:
        theirs["eval_images"] = PAPER_EVAL_IMAGES
    return [
        f"{_word(key)} {ours[key]} ({theirs[key]})"
        for key in ours
        if key in theirs
        and ours[key] != theirs[key]
        and not any(part in key.split(".") and key.rpartition(".")[2] not in ("name", "kind") for part in renamed)
    ]


def _distinctions(protocol: Form, headed_alike: Sequence[Form]) -> list[str]:
    """What tells a protocol from others of the same data and network."""
    ours, others = _flat(protocol), [_flat(other) for other in headed_alike]
    return [f"{_word(key)} {ours[key]}" for key in ours if any(other.get(key) != ours[key] for other in others)]


def _flat(form: Mapping[str, Any], prefix: str = "") -> Form:
    flat: Form = {}
    for key, value in form.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _word(key: str) -> str:
    """A dotted key as a reader says it."""
    words = {"data.name": "data", "model.name": "network", "recipe.schedule.kind": "schedule"}
    plain = key.removeprefix("recipe.").removeprefix("data.").removeprefix("model.").replace(".", " ")
    return words.get(key, plain.replace("_", " ").replace("se ", "SE "))
