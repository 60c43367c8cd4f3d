"""Everything in a results folder for which nothing was trained: re-scored weights, costs, gates, importance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from senet_repro.config.schema import PaperTable
from senet_repro.report.tables.costs import CostTable, load_cost_tables
from senet_repro.report.tables.gate_studies import StudiedNetwork, group_studies
from senet_repro.report.tables.importance import Finding, group_seeds
from senet_repro.report.tables.rescored import RescoredTable, find_rescored_tables
from senet_repro.results.evaluation import load_evaluations
from senet_repro.results.excitation import load_studies
from senet_repro.results.importance import load_importance


@dataclass(frozen=True, kw_only=True)
class Studies:
    """The findings about networks that were there, by kind."""

    rescored: Sequence[RescoredTable] = ()
    costs: Sequence[CostTable] = ()
    gates: Sequence[StudiedNetwork] = ()
    importance: Sequence[Finding] = ()

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self.rescored or self.costs or self.gates or self.importance)


def read_studies(results_dir: Path, papers: Sequence[PaperTable]) -> tuple[Studies, list[str]]:
    """Return the studies below a results folder, and a message for each file that cannot be read.

    Weights that were re-scored stand under those of `papers` that have a row for them.
    """
    evaluations, unread_evaluations = load_evaluations(results_dir)
    costs, unread_costs = load_cost_tables(results_dir)
    gates, unread_gates = load_studies(results_dir)
    importance, unread_importance = load_importance(results_dir)
    studies = Studies(
        rescored=find_rescored_tables(evaluations, papers),
        costs=costs,
        gates=group_studies(gates),
        importance=group_seeds(importance),
    )
    return studies, [*unread_evaluations, *unread_costs, *unread_gates, *unread_importance]
