"""Two rows set side by side: their differences seed by seed, and what else differs between them (report floor)."""

from __future__ import annotations

from dataclasses import dataclass

from senet_repro.config.schema import Claim
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.contrasts import Term, estimate_contrast
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import Estimate


@dataclass(frozen=True)
class Pair:
    """Two rows of a claim; one that the paper cites from elsewhere has its published figure for every seed."""

    first: ResultRow
    second: ResultRow

    @property
    def names(self) -> tuple[str, str]:
        """Return the names of both rows."""
        return self.first.name, self.second.name

    @property
    def shared_seeds(self) -> list[int]:
        """Return the seeds that both rows were run with."""
        # A cited row stands beside whatever seeds the other has.
        if self.first.is_cited:
            if self.second.is_cited:
                return []
            return self.second.seeds
        if self.second.is_cited:
            return self.first.seeds
        return sorted(set(self.first.seeds) & set(self.second.seeds))

    def estimate_difference(self, metric: Metric) -> Estimate | None:
        """Return the first row's figure less the second's over their common seeds; None where there are none.

        None is returned, too, where a run was recorded without the metric, or the paper lacks a cited row's figure.
        """
        first = Term(1.0, self.first.list_runs(metric))
        second = Term(-1.0, self.second.list_runs(metric))
        terms = [first, second]
        return estimate_contrast(terms, metric, self.shared_seeds)


def find_rows(table: ResultTable, claim: Claim) -> list[ResultRow]:
    """Return the rows that a claim compares, of the table or beside it."""
    return [find_row(table, name) for name in claim.rows]


def find_row(table: ResultTable, name: str) -> ResultRow:
    """Return the row of a name, of the table or beside it."""
    by_name = {row.name: row for row in (*table.beside, *table.rows)}
    return by_name[name]


def list_gain_rows(table: ResultTable, claim: Claim) -> list[str]:
    """Return the rows beside those compared that a claim cannot do without on this table's data."""
    if table.example.protocol["data"]["name"] in claim.margins:
        return []
    return claim.gain


def list_lacking_rows(table: ResultTable, claim: Claim) -> list[str]:
    """Return the rows that a claim cannot be judged without and that have no records."""
    rows = find_rows(table, claim)
    rows += [find_row(table, name) for name in list_gain_rows(table, claim)]
    lacking: dict[str, None] = {}
    for row in rows:
        if not row.is_cited and not row.records:
            lacking[row.name] = None
    return list(lacking)
