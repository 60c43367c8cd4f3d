"""One answer over all networks of a table that are set side by side with SE and without it (report floor).

Tables 2, 4 and 5 claim the same of each network in turn. Beside these claims stands what their networks say together:
the mean of the networks' own mean gains, whose interval comes from how far the networks differ among themselves, so
that it speaks of networks like these and not of these alone. It is no claim of the paper and belongs to no family of
tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from senet_repro.config.schema import Claim, PaperTable
from senet_repro.report.claims.kinds import read_claim
from senet_repro.report.claims.lower import Lower
from senet_repro.report.claims.pairs import Pair, find_rows
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.standing import Standing
from senet_repro.results.metrics import Metric
from senet_repro.stats.estimates import Estimate, p_above
from senet_repro.stats.pooled import pool_differences

FEWEST_NETWORKS = 3
"""Two do not show how far networks differ: the interval would reach nine of their standard deviations to each side."""


@dataclass(frozen=True, kw_only=True)
class NetworkGain:
    """SE's gain on one network: by how much the row with it is better than the row without it."""

    row: str  # with SE
    gain: Estimate | None  # in points of the metric; None where the two rows have no seed in common
    published: float | None  # by the paper; None where it prints no figure


@dataclass(frozen=True, kw_only=True)
class PooledAnswer:
    """SE's gain in a metric over the networks of a table together."""

    metric: Metric
    networks: list[NetworkGain]  # in the table's order, those without runs included
    gain: Estimate  # the mean over the networks that have one; its n are networks
    p_value: float  # one-sided, of a mean gain above 0
    better: int  # networks with a gain above 0
    p_sign: float  # one-sided, of so many or more of them being better by chance
    # The mean of the paper's gains on the same networks; None on other data than the paper's.
    published: float | None

    @property
    def measured(self) -> list[NetworkGain]:
        """Return the networks that were run with SE and without it."""
        return [network for network in self.networks if network.gain is not None]

    @property
    def missing(self) -> list[str]:
        """Return the rows with SE of the networks that were not run both ways."""
        return [network.row for network in self.networks if network.gain is None]


def list_network_claims(paper: PaperTable) -> list[Lower]:
    """Return the claims of a table that a network is better with SE than without it, all in the metric of the first."""
    found: list[Lower] = []
    for claim in paper.claims:
        kind = read_claim(paper, claim)
        if not isinstance(kind, Lower) or not _compares_with_own_baseline(paper, claim):
            continue
        # A table may claim it of each network in a second metric, too.
        if not found or kind.figure_name == found[0].figure_name:
            found.append(kind)
    return found


def _compares_with_own_baseline(paper: PaperTable, claim: Claim) -> bool:
    """Return whether a claim compares a row that names a network with the baseline of that row alone."""
    name = claim.rows[0]
    if name not in paper.rows or paper.rows[name].network is None:
        return False
    return claim.rows == [name, paper.baseline_of(name)]


def pool_networks(table: ResultTable) -> PooledAnswer | None:
    """Return what the networks of a table say together; None of a table that claims it of too few, or has too few runs.

    The metric is the one that the claims about single networks are in.
    """
    claims = list_network_claims(table.paper)
    if len(claims) < FEWEST_NETWORKS or claims[0].explain_obstacle(table) is not None:
        return None
    networks = [_measure_gain(table, claim) for claim in claims]
    gains = [network.gain for network in networks if network.gain is not None]
    # Counted there are differences below 0, so a gain is turned into one.
    pooled = pool_differences([_turn_sign(gain) for gain in gains])
    if pooled is None or len(gains) < FEWEST_NETWORKS:
        return None
    gain = _turn_sign(pooled.difference)
    return PooledAnswer(
        metric=claims[0].metric,
        networks=networks,
        gain=gain,
        # Gains that agree to the last digit leave no spread to test by.
        p_value=p_above(gain) if gain.standard_error else 1.0,
        better=pooled.below,
        p_sign=pooled.p_sign,
        published=_average_published(table, networks),
    )


def _turn_sign(estimate: Estimate) -> Estimate:
    return replace(estimate, mean=-estimate.mean)


def _measure_gain(table: ResultTable, claim: Lower) -> NetworkGain:
    first, second = find_rows(table, claim.claim)
    difference = Pair(first, second).estimate_difference(claim.metric)
    return NetworkGain(
        row=first.name,
        gain=None if difference is None else claim.turn_into_gain(difference),
        published=claim.compare_published(first, second),
    )


def _average_published(table: ResultTable, networks: Sequence[NetworkGain]) -> float | None:
    """Return the mean of the paper's gains on the networks that were run; None where it is no yardstick for ours."""
    published = [network.published for network in networks if network.gain is not None]
    known = [gain for gain in published if gain is not None]
    # The paper's points are of its own data, and a mean over other networks would be another figure.
    if table.standing == Standing.PROXY or len(known) < len(published):
        return None
    return sum(known) / len(known)
