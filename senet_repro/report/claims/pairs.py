"""Two rows set side by side: their differences seed by seed, and what else differs between them (report floor)."""

from __future__ import annotations

from dataclasses import dataclass

from senet_repro.config.schema import Claim
from senet_repro.report.claims.confounds import find_confounds
from senet_repro.report.claims.kinds import ClaimKind
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import Estimate, estimate_mean, least_sd_pct


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
        """Return the first row's figure less the second's over their common seeds.

        The standard deviation is at least the one that counts of images allow, see `least_sd_pct`. None is returned
        where there is no common seed.
        """
        seeds = self.shared_seeds
        if not seeds:
            return None
        first = _list_values(self.first, metric, seeds)
        second = _list_values(self.second, metric, seeds)
        if first is None or second is None:
            return None
        least_sd = 0.0
        # Only shares of images come in steps of an image.
        if metric.unit == "pct":
            records = [*self.first.records, *self.second.records]
            least_sd = least_sd_pct(min(record.eval_images for record in records))
        differences = [one - other for one, other in zip(first, second, strict=True)]
        return estimate_mean(differences, least_sd)

    def find_confounds(self) -> list[str]:
        """Return what differs between the runs of one seed beside the axes under test, in a reader's words."""
        return find_confounds([(self.first, self.second)])


def pair_rows(table: ResultTable, kind: ClaimKind) -> list[Pair]:
    """Return the comparisons that a claim consists of; none for sizes, which are counted."""
    rows = find_rows(table, kind.claim)
    return [Pair(first, second) for first, second in kind.pair_rows(rows)]


def find_rows(table: ResultTable, claim: Claim) -> list[ResultRow]:
    """Return the rows that a claim names, of the table or beside it."""
    by_name = {row.name: row for row in (*table.beside, *table.rows)}
    return [by_name[name] for name in claim.rows]


def _list_values(row: ResultRow, metric: Metric, seeds: list[int]) -> list[float] | None:
    """Return a row's figure for each seed.

    None is returned for a cited row whose figure the paper does not have, and where a record was made without it.
    """
    if row.is_cited:
        published = row.paper.published(metric.name)
        return None if published is None else [published] * len(seeds)
    by_seed = {record.seed: record.metrics.get(metric.name) for record in row.records}
    values = [by_seed[seed] for seed in seeds]
    measured = [value for value in values if value is not None]
    return measured if len(measured) == len(values) else None
