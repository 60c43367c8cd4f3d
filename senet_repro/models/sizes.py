"""Counted parameters and multiply-adds of every row of the paper's tables beside the published ones (models floor)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from senet_repro.config.canonical import AXIS_DEFAULTS
from senet_repro.config.composition import compose
from senet_repro.config.schema import PaperTable, Row
from senet_repro.config.tables import paper_tables
from senet_repro.models.cost import count_macs, count_params
from senet_repro.models.registry import create_model

CONVENTION = (
    "Counted on ResNet-50 at 224x224 without SE biases (section 6): trainable parameters; multiply-adds of "
    "convolutions, linear layers and SE pooling. Published parameters seem to include the running statistics of batch "
    "normalisation (0.05 M), hence a little more than counted."
)
TOLERANCE = 0.005


@dataclass(frozen=True)
class Size:
    """One row of one table: what is published and what was counted."""

    table: PaperTable
    row: str
    published: Row
    params: int
    macs: int

    @property
    def params_off(self) -> float | None:
        """Counted over published parameters, less one; none where nothing is published."""
        return _relative(self.params / 1e6, self.published.params_m)

    @property
    def macs_off(self) -> float | None:
        """Counted over published multiply-adds, less one; none where nothing is published."""
        return _relative(self.macs / 1e9, self.published.gflops)

    @property
    def verdict(self) -> str:
        """Whether every published figure is met within half a percent: match, off or not published."""
        known = [abs(off) for off in (self.params_off, self.macs_off) if off is not None]
        return "not published" if not known else "match" if max(known) <= TOLERANCE else "off"


def sizes() -> Iterator[Size]:
    """Every row of every table, counted on the paper's network; a few seconds in all."""
    for table in paper_tables().values():
        for name, row in table.rows.items():
            axes = {**AXIS_DEFAULTS, **row.axes}
            stages = axes.pop("stages")
            yield Size(table, name, row, *_count(stages if isinstance(stages, str) else tuple(stages), **axes))


@lru_cache
def _count(stages: str | tuple[int, ...], **axes: Any) -> tuple[int, int]:
    paper = compose(["protocol=imagenet"])
    net = create_model(paper.model.name, stages=stages, bias=paper.se.bias, **paper.model.options, **axes)
    return count_params(net), count_macs(net, paper.model.input_px)


def _relative(counted: float, published: float | None) -> float | None:
    return None if published is None else counted / published - 1
