"""The metrics of classification: how each is written and how it is measured (tasks floor; no torch before it trains).

A metric of a measure that `measures.py` has already is one more entry here; everything that records, prints or judges
metrics iterates over these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from senet_repro.results.metrics import Metric

if TYPE_CHECKING:
    import torchmetrics


def _measure_mean_loss() -> torchmetrics.Metric:
    from senet_repro.training.measures import MeanLoss

    return MeanLoss()


def _measure_top_k_error(k: int) -> torchmetrics.Metric:
    from senet_repro.tasks.classification.measures import TopKError

    return TopKError(k)


# The most important metric first: tables, verdicts and the choice of the best epoch begin with it.
METRICS: dict[Metric, Callable[[], torchmetrics.Metric]] = {
    Metric(key="top1", label="top-1", quantity="err", noun="error", rank=1): partial(
        _measure_top_k_error, 1
    ),
    Metric(key="top5", label="top-5", quantity="err", noun="error", rank=5): partial(
        _measure_top_k_error, 5
    ),
    Metric(key="loss", label="loss", unit="", unit_sign="", is_printed=False): _measure_mean_loss,
}


def build_measures() -> dict[str, torchmetrics.Metric]:
    """Return a fresh measure for each metric, by the metric's name in records."""
    return {metric.name: build_measure() for metric, build_measure in METRICS.items()}
