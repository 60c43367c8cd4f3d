"""The seam between a task and everything that trains it (training floor; no torch until it is asked for)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from senet_repro.config.schema import Run
from senet_repro.results.metrics import Metric, describe_values, printed_metrics
from senet_repro.results.run_folder import RunFolder

if TYPE_CHECKING:
    from torch import nn

    from senet_repro.training.task_module import TaskData, TaskModule


@dataclass(frozen=True)
class KeptOutcomes:
    """Outcomes of a run's last evaluation, image by image, as they lie in its folder."""

    file: Path
    summary: dict[str, str | int]  # for the record: their hash, and how many there are
    measured: dict[str, float]  # the metrics that follow from them, by name


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

    def build_module(self, run: Run, net: nn.Module) -> TaskModule:
        """Return the Lightning module that trains and evaluates `net`; its metrics bear the names of `metrics`."""
        ...

    def build_data(self, run: Run) -> TaskData:
        """Return the run's data as Lightning wants them; nothing is read yet."""
        ...

    def read_outcomes(self, folder: RunFolder) -> KeptOutcomes | None:
        """Return the outcomes that the last epoch left in a folder; None where there are none.

        Raises:
            ConfigError: the file is damaged.
        """
        ...


def describe_metrics(task: Task, values: Mapping[str, float]) -> str:
    """Return the printed metrics of a run in a line, such as `top-1 err 2.50 %  top-5 err 0.00 %`.

    `values` are a record's metrics or an epoch's, by name.
    """
    return describe_values(printed_metrics(task.metrics), values)
