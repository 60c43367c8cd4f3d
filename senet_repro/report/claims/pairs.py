"""Two rows set side by side: their differences seed by seed, and what else differs between them (report floor)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from senet_repro.config.schema import Claim
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.protocols import Form, named
from senet_repro.results.record import Record
from senet_repro.stats.estimates import Estimate, estimate_mean, least_sd_pct


@dataclass(frozen=True)
class Pair:
    """Two rows of a claim; one that the paper cites from elsewhere has its published figure for every seed."""

    first: ResultRow
    second: ResultRow

    @property
    def seeds(self) -> list[int]:
        """The seeds that both were run with."""
        known = [row.seeds for row in (self.first, self.second) if row.form]
        return sorted(set(known[0]).intersection(*known)) if known else []

    def difference(self, figure: str) -> Estimate | None:
        """The first row's error less the second's over their common seeds, with the least spread that images allow."""
        if not self.seeds:
            return None
        first, second = _errors(self.first, figure), _errors(self.second, figure)
        images = min(
            record.eval_images for row in (self.first, self.second) for record in row.records
        )
        return estimate_mean(
            [
                first.get(seed, first.get(None, 0.0)) - second.get(seed, second.get(None, 0.0))
                for seed in self.seeds
            ],
            least_sd_pct(images),
        )

    def confounds(self) -> list[str]:
        """What differs between the runs of one seed beside the axes under test, in a reader's words."""
        first, second = _by_seed(self.first), _by_seed(self.second)
        differing: dict[str, dict[str, None]] = {}
        forms: dict[
            tuple[str, str], Form
        ] = {}  # of runs and whom they are compared with, named once for all seeds
        for seed in (seed for seed in self.seeds if seed in first and seed in second):
            one, other = (
                _context(first[seed], second[seed], forms),
                _context(second[seed], first[seed], forms),
            )
            for key in (key for key in {**one, **other} if one.get(key) != other.get(key)):
                differing.setdefault(key, {})[
                    f"{_word(one.get(key))} and {_word(other.get(key))}"
                ] = None
        return [f"{key} ({', '.join(values)})" for key, values in differing.items()]


def pairs_of(table: ResultTable, claim: Claim) -> list[Pair]:
    """The comparisons that a claim consists of: each row with the next, or each with each for an equivalence."""
    rows = rows_of(table, claim)
    return [
        Pair(*two)
        for two in (combinations(rows, 2) if claim.kind == "equivalent" else pairwise(rows))
    ]


def rows_of(table: ResultTable, claim: Claim) -> list[ResultRow]:
    """The rows that a claim names, of the table or beside it."""
    by_name = {row.name: row for row in (*table.beside, *table.rows)}
    return [by_name[name] for name in claim.rows]


def _by_seed(row: ResultRow) -> dict[int, Record]:
    return {record.seed: record for record in row.records}


def _errors(row: ResultRow, figure: str) -> Mapping[int | None, float]:
    """The error by seed; under None the one for every seed, of a row that is only cited."""
    if row.form is None:
        return {None: row.paper.published(figure) or 0.0}
    return {record.seed: record.metrics[figure] for record in row.records}


def _context(record: Record, other: Record, forms: dict[tuple[str, str], Form]) -> dict[str, Any]:
    """All that may decide a number but the axes; `forms` are the named forms so far."""
    runs = record.run_key, other.run_key
    if runs not in forms:
        forms[runs] = named(_without_axes(record, other))
    return {
        **forms[runs],
        "evaluation images": record.eval_images,
        **{key: record.hardware.get(key) for key in ("device", "devices")},
        "processor": record.hardware.get("name"),
        **record.versions,
        "commit": record.commit and record.commit[:7],
        "working tree": {None: None, True: "with uncommitted changes", False: "clean"}[
            record.dirty
        ],
    }


def _without_axes(record: Record, other: Record) -> Form:
    """A record's form without the axes; a network is an axis where the two have different ones."""
    form = {**record.identity, "se": {}}
    if record.identity["se"] and other.identity["se"]:
        form["se"] = {key: record.identity["se"][key] for key in ("fc", "bias")}
    if record.identity["model"]["name"] != other.identity["model"]["name"]:
        del form["model"]
    return form


def _word(value: Any) -> str:
    return "unknown" if value is None else str(value)
