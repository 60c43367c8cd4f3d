"""Weighted sums of rows, seed by seed and image by image: the one place where differences get their intervals
(report floor).

A table's difference to its baseline and the difference that a verdict is about are the same estimate, made here. Where
every run kept its outcome on each image, the interval is over seeds and images crossed: another draw of either would
have given another difference. Where some run lacks them, it is over seeds alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from senet_repro.results.metrics import Metric
from senet_repro.results.outcomes import Outcomes, load_outcomes
from senet_repro.results.record import Record
from senet_repro.stats.crossed import estimate_crossed
from senet_repro.stats.estimates import Estimate, estimate_mean, least_sd_pct

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Term:
    """A row in a weighted sum of rows: its runs by seed, or a figure that is taken as exact for every seed."""

    weight: float
    runs: dict[int, Record] | float | None  # None: the paper cites a row without the figure


def estimate_contrast(
    terms: Sequence[Term], metric: Metric, seeds: Sequence[int]
) -> Estimate | None:
    """Return the mean over seeds of a weighted sum of rows, in the unit of the metric.

    Every term with runs has one for each of the seeds. The standard deviation over seeds is at least the one that
    counts of images allow, see `least_sd_pct`. None is returned without seeds, and where a run has no such figure.
    """
    values = _sum_figures(terms, metric, seeds)
    if not values:
        return None
    if len(seeds) > 1:
        by_image = _sum_image_errors(terms, metric, seeds)
        # Networks that agree on every image have no spread over images either: they are treated as counts.
        if by_image is not None and by_image.any():
            return replace(estimate_crossed(by_image), images=by_image.shape[1])
    runs = [term.runs for term in terms if isinstance(term.runs, dict)]
    records = [record for by_seed in runs for record in by_seed.values()]
    return estimate_mean(values, find_least_sd(records, metric))


def find_least_sd(records: Sequence[Record], metric: Metric) -> float:
    """Return the least standard deviation over seeds that is believed, in points; 0 for what is no share of images."""
    if metric.unit != "pct" or metric.rank is None:
        return 0.0
    return least_sd_pct(min(record.eval_images for record in records))


def _sum_figures(terms: Sequence[Term], metric: Metric, seeds: Sequence[int]) -> list[float] | None:
    """Return the weighted sum of each seed; None where some run was recorded without the metric."""
    sums = [0.0] * len(seeds)
    for term in terms:
        for index, seed in enumerate(seeds):
            value = term.runs
            if isinstance(value, dict):
                value = value[seed].metrics.get(metric.name)
            if value is None:
                return None
            sums[index] += term.weight * value
    return sums


def _sum_image_errors(
    terms: Sequence[Term], metric: Metric, seeds: Sequence[int]
) -> np.ndarray | None:
    """Return the weighted sum of the errors on each image in percent, (seeds, images).

    None is returned for a metric that is no share of images, and where runs lack outcomes or saw other images.
    """
    if metric.rank is None:
        return None
    runs = [term.runs[seed] for term in terms for seed in seeds if isinstance(term.runs, dict)]
    outcomes = _load_comparable_outcomes(runs)
    if outcomes is None:
        return None
    return _weigh_errors(terms, metric.rank, seeds, outcomes)


def _load_comparable_outcomes(runs: Sequence[Record]) -> dict[int, Outcomes] | None:
    """Return the outcomes of each run by the id() of its record; None where one lacks them or saw other images."""
    loaded: dict[int, Outcomes] = {}
    first: Outcomes | None = None
    for run in runs:
        own = load_outcomes(run)
        if own is None:
            return None
        first = first or own
        if not own.has_labels_of(first):
            return None
        loaded[id(run)] = own
    return loaded


def _weigh_errors(
    terms: Sequence[Term], rank: int, seeds: Sequence[int], outcomes: Mapping[int, Outcomes]
) -> np.ndarray:
    import numpy as np

    images = len(next(iter(outcomes.values())).labels)
    total = np.zeros((len(seeds), images))
    for term in terms:
        for index, seed in enumerate(seeds):
            if isinstance(term.runs, dict):
                hits = outcomes[id(term.runs[seed])].list_hits(rank)
                total[index] += term.weight * 100 * ~hits
            elif term.runs is not None:
                total[index] += term.weight * term.runs
    return total
