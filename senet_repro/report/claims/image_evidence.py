"""Runs compared image by image and one against another, beside the difference of their means (report floor).

A verdict is about a recipe, of which every seed trains another network. What stands here is about networks as they are:

- McNemar's test asks whether two networks differ on images like these, by the images that one alone gets right.
- Two seeds of one network disagree on some images, too. That share is the noise floor: what two rows disagree on
  beyond it is owed to more than another seed.
- The probability that a run of one row is better than one of the other, whatever the seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

from senet_repro.report.claims.comparisons import MetricClaim
from senet_repro.report.claims.kinds import read_claim
from senet_repro.report.claims.lower import Lower
from senet_repro.report.claims.pairs import Pair, find_rows
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.results.metrics import Metric
from senet_repro.results.outcomes import Outcomes, load_outcomes
from senet_repro.results.record import Record
from senet_repro.stats.estimates import LEVEL, adjust_holm
from senet_repro.stats.networks import Chance, chance_better, mcnemar, share_disagreeing

if TYPE_CHECKING:
    import numpy as np

    HitsBySeed = Mapping[int, np.ndarray]

RunsBySeed = Mapping[int, Record]
OutcomesBySeed = dict[int, Outcomes]


@dataclass(frozen=True)
class SeedPair:
    """Two networks of one seed, compared image by image."""

    seed: int
    first_alone: int  # images that only the first network gets right
    second_alone: int
    p_value: float  # of McNemar's test, two-sided and exact, adjusted by Holm over the seeds


@dataclass(frozen=True, kw_only=True)
class ImageAgreement:
    """On which images the networks of two rows are right, all of them evaluated on the same images."""

    images: int
    pairs: list[SeedPair]  # of each seed in common
    # Share of the images on which one of two networks is right, and not the other.
    disagreeing: float
    noise_floor: float | None  # the same of two seeds of one row; None where no row has two

    def list_ahead(self) -> tuple[list[int], list[int]]:
        """Return the seeds whose networks differ for sure: those with the first ahead, and with the second."""
        first_ahead, second_ahead = [], []
        for pair in self.pairs:
            # By chance, one network may get a few more images right.
            if pair.p_value > LEVEL:
                continue
            if pair.first_alone > pair.second_alone:
                first_ahead.append(pair.seed)
            else:
                second_ahead.append(pair.seed)
        return first_ahead, second_ahead


@dataclass(frozen=True, kw_only=True)
class ImageEvidence:
    """The runs of two rows compared image by image, and one against another."""

    first: str  # the row that is to be better
    second: str
    metric: Metric
    # None where a run has no outcomes of its images, or was evaluated on others.
    agreement: ImageAgreement | None
    chance: Chance | None  # of a run of the first row being better; None with a single run


def gather_image_evidence(table: ResultTable) -> dict[str, ImageEvidence]:
    """Return the evidence for each claim that one row is better than another, by what the claim says.

    A claim of more than two rows is judged by its pairs, and has none here.
    """
    found = {}
    for claim in table.paper.claims:
        kind = read_claim(table.paper, claim)
        if isinstance(kind, Lower) and len(claim.rows) == 2:
            first, second = find_rows(table, claim)
            evidence = compare_runs(kind, Pair(first, second))
            if evidence is not None:
                found[claim.says] = evidence
    return found


def compare_runs(kind: MetricClaim, pair: Pair) -> ImageEvidence | None:
    """Return what the runs of two rows say beside their mean; None where the rows have no run of the same seed."""
    metric = kind.metric
    runs = [_select_runs(row, metric) for row in (pair.first, pair.second)]
    if not runs[0].keys() & runs[1].keys():
        return None
    return ImageEvidence(
        first=pair.first.name,
        second=pair.second.name,
        metric=metric,
        agreement=_compare_images(metric, *runs),
        chance=_estimate_chance(metric, *runs),
    )


def _select_runs(row: ResultRow, metric: Metric) -> RunsBySeed:
    """Return the runs of a row that have a figure of the metric, by seed; none of a row that is only cited."""
    return {record.seed: record for record in row.records if metric.name in record.metrics}


def _compare_images(metric: Metric, first: RunsBySeed, second: RunsBySeed) -> ImageAgreement | None:
    """Return on which images the networks are right; None where that was not kept, or was on different images."""
    if metric.rank is None:
        return None
    one, other = _load_outcomes(first), _load_outcomes(second)
    if one is None or other is None:
        return None
    example, *others = [*one.values(), *other.values()]
    if not all(each.has_labels_of(example) for each in others):
        return None
    return compare_hits(_list_hits(one, metric.rank), _list_hits(other, metric.rank))


def compare_hits(first: HitsBySeed, second: HitsBySeed) -> ImageAgreement:
    """Return how the networks of two rows agree; hits are bool (N,) by seed, and one seed at least is in common."""
    seeds = sorted(first.keys() & second.keys())
    unadjusted = [mcnemar(first[seed], second[seed]) for seed in seeds]
    p_values = adjust_holm(unadjusted)
    pairs = []
    for seed, p_value in zip(seeds, p_values, strict=True):
        first_alone = int((first[seed] & ~second[seed]).sum())
        second_alone = int((second[seed] & ~first[seed]).sum())
        pairs.append(
            SeedPair(seed=seed, first_alone=first_alone, second_alone=second_alone, p_value=p_value)
        )
    between_seeds = [*_compare_seeds(first), *_compare_seeds(second)]
    return ImageAgreement(
        images=len(first[seeds[0]]),
        pairs=pairs,
        disagreeing=fmean(share_disagreeing(first[seed], second[seed]) for seed in seeds),
        noise_floor=fmean(between_seeds) if between_seeds else None,
    )


def _compare_seeds(hits: HitsBySeed) -> list[float]:
    """Return the share of images that each two seeds of one row disagree on."""
    return [share_disagreeing(one, other) for one, other in combinations(hits.values(), 2)]


def _load_outcomes(runs: RunsBySeed) -> OutcomesBySeed | None:
    """Return the outcomes of each run by seed; None where one has none."""
    loaded = {}
    for seed, record in runs.items():
        outcomes = load_outcomes(record)
        if outcomes is None:
            return None
        loaded[seed] = outcomes
    return loaded


def _list_hits(outcomes: OutcomesBySeed, rank: int) -> HitsBySeed:
    return {seed: each.list_hits(rank) for seed, each in outcomes.items()}


def _estimate_chance(metric: Metric, first: RunsBySeed, second: RunsBySeed) -> Chance | None:
    """Return how likely a run of the first row is better than one of the second; None with a single run of either."""
    if len(first) < 2 or len(second) < 2:
        return None
    # There the lower figure is the better one.
    sign = -1.0
    if metric.better == "lower":
        sign = 1.0
    first_figures = _list_figures(metric, first, sign)
    second_figures = _list_figures(metric, second, sign)
    return chance_better(first_figures, second_figures)


def _list_figures(metric: Metric, runs: RunsBySeed, sign: float) -> list[float]:
    return [sign * record.metrics[metric.name] for record in runs.values()]
