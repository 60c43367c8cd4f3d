"""The seam between a task and everything that trains it (training floor; no torch until it is asked for)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from senet_repro.config.schema import Run
from senet_repro.results.metrics import Metric

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from torch import nn


class Task(Protocol):
    """How a network is trained, on what data, and which metrics come out; the grid can be asked about each task."""

    @property
    def name(self) -> str:
        """The name of the task's folder, which records keep."""
        ...

    @property
    def metrics(self) -> Sequence[Metric]:
        """Every metric of an evaluation, the most important one first."""
        ...

    def build_module(self, run: Run, net: nn.Module) -> pl.LightningModule:
        """Return the Lightning module that trains and evaluates `net`."""
        ...

    def build_data(self, run: Run) -> pl.LightningDataModule:
        """Return the run's data as Lightning wants them; nothing is read yet."""
        ...
