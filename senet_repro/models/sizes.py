"""Counted parameters and multiply-adds of every row of the paper's tables beside the published ones (models floor)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from senet_repro.config.composition import compose
from senet_repro.config.paper_tables import paper_run, paper_tables
from senet_repro.config.schema import PaperTable, Row, Run
from senet_repro.core.slow_work import SlowWork
from senet_repro.models.cost import count_runs
from senet_repro.models.registry import list_models

CONVENTION = (
    "Counted with fvcore on the network of each row at its native input, in evaluation mode, batch 1: trainable "
    "parameters; multiply-adds of convolutions, linear layers and SE pooling. SE blocks have biases in Tables 2, 4, 5, "
    "6 and 8, as the released models do, and none in Tables 3 and 10 to 16, as in section 6. The published parameters "
    "of Tables 10 to 16 seem to include the running statistics of batch normalisation (0.05 M), hence a little more "
    "than counted."
)
TOLERANCE = 0.005
# Of the published parameters, in millions.
DECIMALS = 1


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
        """Return counted over published parameters, less one; None where either is missing."""
        return _relative_excess(self.params, 1e6, self.published.params_m)

    @property
    def macs_off(self) -> float | None:
        """Return counted over published multiply-adds, less one; None where either is missing."""
        return _relative_excess(self.macs, 1e9, self.published.gflops)

    @property
    def verdict(self) -> str:
        """Return "match" if every published figure is met within half a percent or to its last decimal, else why not.

        A row that misses is "known" where its table gives a reason, and "off" where there is none.
        """
        if self.table is None:
            return "not in the paper"
        if self.params is None:
            return "cited only"
        if self.params_off is None and self.macs_off is None:
            return "not published"
        rounds_to_published = round(self.params / 1e6, DECIMALS) == self.published.params_m
        params_match = rounds_to_published or abs(self.params_off or 0) <= TOLERANCE
        macs_match = abs(self.macs_off or 0) <= TOLERANCE
        if params_match and macs_match:
            return "match"
        return "known" if self.published.size_note else "off"


@dataclass(frozen=True)
class _Line:
    """A row to be counted, on the network of a run if it is offered here."""

    table: PaperTable | None
    row: str
    published: Row
    run: Run | None


def count_sizes() -> Iterator[Size]:
    """Yield every row of every table, counted on the network of its own, and then the networks of no table."""
    with SlowWork("composing the rows of the tables"):
        lines = _list_table_rows()
        lines += _list_other_networks(lines)
    # All at once, so that networks that several rows share are counted once, and the others side by side.
    counts = iter(count_runs([line.run for line in lines if line.run]))
    for line in lines:
        params, macs = next(counts) if line.run else (None, None)
        yield Size(line.table, line.row, line.published, params, macs)


def _list_table_rows() -> list[_Line]:
    lines = []
    for table in paper_tables().values():
        for name, row in table.rows.items():
            run = None if row.axes is None else paper_run(table, row)
            lines.append(_Line(table, name, row, run))
    return lines


def _list_other_networks(lines: Sequence[_Line]) -> list[_Line]:
    """Return the networks of no line without SE and with it, as they are built for CIFAR-10."""
    in_tables = {line.run.model.name for line in lines if line.run}
    others = []
    for name in sorted(set(list_models()) - in_tables):
        for prefix, stages in (("", "none"), ("SE-", "all")):
            run = compose([f"model={name}", f"stages={stages}", "data=cifar10", "se.bias=true"])
            others.append(_Line(None, prefix + name, Row(), run))
    return others


def _relative_excess(counted: int | None, unit: float, published: float | None) -> float | None:
    if counted is None or published is None:
        return None
    return counted / unit / published - 1
