"""Counted parameters and multiply-adds of every row of the paper's tables beside the published ones (models floor)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from senet_repro.config.composition import compose
from senet_repro.config.paper_tables import paper_run, paper_tables
from senet_repro.config.schema import PaperTable, Row, Run
from senet_repro.models.cost import count_runs
from senet_repro.models.registry import list_models

CONVENTION = (
    "Counted with fvcore on the network of each row at its native input, in evaluation mode, batch 1: trainable "
    "parameters; multiply-adds of convolutions, linear layers and SE pooling. SE blocks have biases in Tables 2, 4, 5 "
    "and 8, as the released models do, and none in Tables 3 and 10 to 16, as in section 6. The published parameters of "
    "Tables 10 to 16 seem to include the running statistics of batch normalisation (0.05 M), hence a little more than "
    "counted."
)
TOLERANCE = 0.005
DECIMALS = 1  # of the published parameters, in millions


@dataclass(frozen=True)
class Size:
    """One row of one table: what is published and what was counted, if the network is offered here."""

    table: PaperTable | None  # none: a network of no table
    row: str
    published: Row
    params: int | None
    macs: int | None

    @property
    def params_off(self) -> float | None:
        """Counted over published parameters, less one; none where either is missing."""
        return _relative(self.params, 1e6, self.published.params_m)

    @property
    def macs_off(self) -> float | None:
        """Counted over published multiply-adds, less one; none where either is missing."""
        return _relative(self.macs, 1e9, self.published.gflops)

    @property
    def verdict(self) -> str:
        """Match, if every published figure is met within half a percent or to its last decimal; else what is known."""
        if self.table is None:
            return "not in the paper"
        if self.params is None:
            return "cited only"
        if self.params_off is None and self.macs_off is None:
            return "not published"
        rounds = round(self.params / 1e6, DECIMALS) == self.published.params_m
        if (rounds or abs(self.params_off or 0) <= TOLERANCE) and abs(
            self.macs_off or 0
        ) <= TOLERANCE:
            return "match"
        return "known" if self.published.size_note else "off"


def sizes() -> Iterator[Size]:
    """Every row of every table, counted on the network of its own, and then the networks of no table."""
    rows: list[tuple[PaperTable | None, str, Row, Run | None]] = [
        (table, name, row, None if row.axes is None else paper_run(table, row))
        for table in paper_tables().values()
        for name, row in table.rows.items()
    ]
    in_tables = {run.model.name for _, _, _, run in rows if run}
    for name in sorted(set(list_models()) - in_tables):
        for prefix, stages in (("", "none"), ("SE-", "all")):
            other = compose([f"model={name}", f"stages={stages}", "data=cifar10", "se.bias=true"])
            rows.append((None, prefix + name, Row(), other))
    counts = iter(count_runs([run for *_, run in rows if run]))
    for table, name, row, run in rows:
        yield Size(table, name, row, *(next(counts) if run else (None, None)))


def _relative(counted: int | None, unit: float, published: float | None) -> float | None:
    return None if counted is None or published is None else counted / unit / published - 1
