"""Costs of SE: a table for each setting in which networks were timed (report floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from senet_repro.config.network_pairs import NetworkPair, list_network_pairs
from senet_repro.results.costs import CostSetting, MeasuredCost, load_costs
from senet_repro.stats.estimates import Estimate, estimate_mean


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """One network with and without SE, and the rows of the paper that it is."""

    pair: NetworkPair
    cost: MeasuredCost

    def estimate_ratio(self, kind: str) -> Estimate:
        """Return how many times as long it takes with SE, over the rounds, each of which has its own ratio."""
        return _estimate_ratio(self.cost.times_ms[kind])

    def find_medians(self, kind: str) -> tuple[float, float]:
        """Return the median milliseconds without SE and with it."""
        plain, with_se = self.cost.times_ms[kind]
        return median(plain), median(with_se)

    @property
    def memory_ratio(self) -> float:
        """Return how many times as much memory a training step takes with SE."""
        plain, with_se = self.cost.memory_bytes
        return with_se / plain

    @property
    def energy_ratio(self) -> Estimate | None:
        """Return how many times as many joules a training step takes with SE; None where nothing told."""
        if not self.cost.energy_j:
            return None
        return _estimate_ratio(self.cost.energy_j)


@dataclass(frozen=True, kw_only=True)
class CostTable:
    """The networks that were timed in one setting, in the paper's order."""

    setting: CostSetting
    is_quick: bool  # a rehearsal, whose figures say nothing
    rows: list[CostRow]


def build_cost_tables(costs: Sequence[MeasuredCost]) -> list[CostTable]:
    """Return a table for each setting; of a network that was timed twice in one, the later measurement counts."""
    pairs = list_network_pairs()
    by_setting: dict[tuple[CostSetting, bool], dict[str, MeasuredCost]] = {}
    for cost in sorted(costs, key=lambda one: str(one.machine["measured_at"])):
        found = by_setting.setdefault((cost.setting, cost.is_quick), {})
        found[cost.network] = cost
    tables = []
    for (setting, is_quick), found in by_setting.items():
        rows = [
            CostRow(pair=pair, cost=found[network])
            for network, pair in pairs.items()
            if network in found
        ]
        tables.append(CostTable(setting=setting, is_quick=is_quick, rows=rows))
    return sorted(tables, key=lambda table: str(table.setting))


def load_cost_tables(results_dir: Path) -> tuple[list[CostTable], list[str]]:
    """Return the tables of a results folder, and a message for each file that cannot be read."""
    costs, problems = load_costs(results_dir)
    return build_cost_tables(costs), problems


def _estimate_ratio(rounds: Sequence[Sequence[float]]) -> Estimate:
    plain, with_se = rounds
    return estimate_mean([own / other for own, other in zip(with_se, plain, strict=True)])
