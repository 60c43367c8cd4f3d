"""Evaluations of given weights beside the paper's rows: a kind of their own (report floor).

Nothing was trained for such a row here. It stands under a table, marked, and enters neither an estimate over seeds
nor a claim: those are about training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from senet_repro.config.evaluation import CropRule
from senet_repro.config.identity import AXES, AXIS_DEFAULTS, build_se_identity
from senet_repro.config.paper_tables import names_networks, paper_protocol, paper_tables
from senet_repro.config.schema import PaperTable, Row
from senet_repro.results.evaluation import Evaluation
from senet_repro.results.metrics import Metric, printed_metrics
from senet_repro.tasks import find_task


@dataclass(frozen=True, kw_only=True)
class RescoredRow:
    """One pass of given weights, beside the row of the paper that is of this network and size."""

    name: str
    paper: Row
    evaluation: Evaluation
    # How the paper's figure was made, as far as it is known.
    papers_rule: CropRule

    @property
    def has_papers_rule(self) -> bool:
        """Return whether images were cut as for the paper's figure."""
        return self.evaluation.rule == self.papers_rule

    def difference(self, metric: Metric) -> float | None:
        """Return how far a figure is from the published one; None where either is missing."""
        own = self.evaluation.metrics.get(metric.name)
        published = self.paper.published(metric.name)
        return None if own is None or published is None else own - published


@dataclass(frozen=True, kw_only=True)
class RescoredTable:
    """The evaluations that belong under a table of the paper."""

    paper: PaperTable
    rows: list[RescoredRow]

    @property
    def metrics(self) -> list[Metric]:
        """Return the metrics that it prints."""
        return printed_metrics(find_task(self.paper.task).metrics)


def find_rescored_tables(
    evaluations: Sequence[Evaluation], papers: Sequence[PaperTable]
) -> list[RescoredTable]:
    """Return the tables that have a row for any of the evaluations, each with those rows in the table's order."""
    tables = []
    for paper in papers:
        rows = [row for one in evaluations for row in _match_rows(one, paper)]
        order = list(paper.rows)
        # The paper's own rule first, where an image was cut in several ways.
        rows.sort(key=lambda row: (order.index(row.name), not row.has_papers_rule))
        if rows:
            tables.append(RescoredTable(paper=paper, rows=rows))
    return tables


def find_paper_row(evaluation: Evaluation) -> tuple[PaperTable, RescoredRow] | None:
    """Return the first table of the paper with a figure of this network and size, and the row; None without one."""
    for paper in paper_tables().values():
        for row in _match_rows(evaluation, paper):
            return paper, row
    return None


def _match_rows(evaluation: Evaluation, paper: PaperTable) -> list[RescoredRow]:
    """Return the rows of a table that are of the network, the data and the size of an evaluation."""
    if not names_networks(paper) or evaluation.task != paper.task:
        return []
    found = []
    for name, row in paper.rows.items():
        wanted = row.rescored or row.axes
        if wanted is None or wanted.get("model") != evaluation.network:
            continue
        rule = _find_rule(paper, row, wanted)
        is_same_crop = rule.size_px == evaluation.size_px
        if is_same_crop and _is_same_network(evaluation, paper, row, wanted):
            found.append(RescoredRow(name=name, paper=row, evaluation=evaluation, papers_rule=rule))
    return found


def _find_rule(paper: PaperTable, row: Row, wanted: Mapping[str, Any]) -> CropRule:
    """Return how images are cut for the paper's figure of a row: as its file says, or as its network is trained."""
    if "size_px" in wanted:
        return CropRule(size_px=wanted["size_px"], resize_px=wanted["resize_px"])
    data = paper_protocol(paper, row)["data"]
    # An identity leaves the usual sides out.
    sides = data.get("eval_resize_sides", "short")
    return CropRule(size_px=data["eval_px"], resize_px=data["eval_resize_px"], sides=sides)


def _is_same_network(
    evaluation: Evaluation, paper: PaperTable, row: Row, wanted: Mapping[str, Any]
) -> bool:
    """Return whether the weights are of a row's network, with its SE, on its data and of its training crops."""
    protocol = paper_protocol(paper, row if row.axes else _stand_in(paper, wanted["model"]))
    axes = {axis: wanted.get(axis, default) for axis, default in AXIS_DEFAULTS.items()}
    blocks = build_se_identity(axes, protocol["se"], protocol["model"]["stages"])
    same_data = evaluation.data["name"] == protocol["data"]["name"]
    same_training = evaluation.trained_px == protocol["data"]["train_px"]
    return same_data and same_training and _keep_axes(blocks) == _keep_axes(evaluation.se)


def _stand_in(paper: PaperTable, network: str) -> Row:
    """Return a row of a table whose network is trained there: one that is evaluated at another size is not."""
    return next(row for row in paper.rows.values() if row.network == network)


def _keep_axes(blocks: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the axes of SE blocks; how they are written down is the library's choice."""
    if blocks is None:
        return None
    return {axis: blocks[axis] for axis in AXES if axis in blocks}
