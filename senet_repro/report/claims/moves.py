"""Whether the rows of two sides have moved: equal, within noise, different, or moved by who knows what (report floor).

- `equal`: every figure is the same to the last digit in every seed that both sides have, and so are the outcomes or
  detections where both kept them. It says nothing about seeds that one side alone has; and where both records are
  copies of one training, it says nothing about a second one.
- `different`: beyond chance, in the task's first metric. Where nothing was changed, this word comes up in at most 5 %
  of all comparisons, however many rows one has (Holm). It does not say why: the code, the processor and the versions
  may all have changed, and are named beside the table. Of single pairs it trusts rows to spread about alike, see
  `estimate_single_move`.
- `within noise`: not equal, and not shown to be different. It is no proof that nothing changed: few seeds show large
  moves alone, two seeds hardly any, and the interval says how large a move may be hidden.
- `moved`: one seed alone, and nowhere two seeds of one row to tell what noise is.

Seeds whose two records are copies of one training cannot have moved. They are left out of a row that has others, of
which they would hide a part, and make up a row that has no others.

Rows of two seeds or more are tested by their paired differences, so that noise which A and B share cancels out. A
single pair has no spread; it is set against that of the seeds within rows of the same protocol, as if its two runs
shared nothing, which is the most that chance can do.

Rows that are equal are not tested and take no part of the 5 %: no chance makes figures equal to the last digit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from senet_repro.report.claims.confounds import find_other_surroundings
from senet_repro.report.tables.compared import MatchedRow, Matching, SideRuns
from senet_repro.report.tables.contrasts import Term, estimate_contrast, find_least_sd
from senet_repro.report.tables.groups import find_shared_key
from senet_repro.results.metrics import Metric, printed_metrics
from senet_repro.results.outcomes import load_outcomes
from senet_repro.results.record import Record, name_training
from senet_repro.stats.estimates import LEVEL, Estimate, adjust_holm
from senet_repro.stats.moves import (
    Noise,
    estimate_single_move,
    find_rms,
    p_moved,
    pool_spreads,
)
from senet_repro.stats.networks import share_disagreeing
from senet_repro.tasks import find_task

EQUAL, WITHIN_NOISE, DIFFERENT, MOVED = "equal", "within noise", "different", "moved"
WORDS = (EQUAL, WITHIN_NOISE, DIFFERENT, MOVED)


@dataclass(frozen=True, kw_only=True)
class MetricMove:
    """A metric of a row on both sides, over the seeds that are compared."""

    metric: Metric
    first_mean: float
    second_mean: float
    # B less A, seed by seed; of a single seed with the uncertainty that other rows give it, where there are any.
    difference: Estimate


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """A row of both sides and what became of it."""

    matched: MatchedRow
    seeds: list[int]  # that are compared: those trained twice, or else copies
    word: str
    # Of the printed metrics that every run has, the task's first one first.
    metric_moves: list[MetricMove]
    single_moves: list[float]  # in the first metric, B less A of each pair that is no copy
    p_value: float | None  # adjusted by Holm; None where nothing could be tested or had to be
    noise: Noise | None  # that a single pair was set against
    # Share of the images that the networks of a seed put into different classes, the mean over seeds, in percent; None
    # without outcomes of the same images.
    predictions_differ_pct: float | None
    copies: int  # pairs whose two records are of one training

    @property
    def task(self) -> str:
        """Return the name of its task."""
        return self.matched.example.task

    @property
    def n(self) -> int:
        """Return the number of seeds that are compared."""
        return len(self.seeds)


@dataclass(frozen=True, kw_only=True)
class MoveSummary:
    """How far single runs of a task moved in its first metric when they were trained a second time."""

    task: str
    metric: Metric
    pairs: int  # of runs that are no copies
    copies: int
    largest: float | None  # without its sign; None without pairs
    rms: float | None
    # The root mean square of what two seeds of one row differ by, to set the moves beside; None without two seeds.
    seeds_apart: float | None


@dataclass(frozen=True, kw_only=True)
class ComparedSides:
    """Two sides compared row by row."""

    rows: list[ComparedRow]  # that have a seed in common
    matching: Matching
    surroundings: list[str]  # what else differs between the pairs, a sentence each

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of rows of each word."""
        counted = Counter(row.word for row in self.rows)
        return {word: counted[word] for word in WORDS}

    @property
    def tasks(self) -> list[str]:
        """Return the tasks of its rows, in their order."""
        return list(dict.fromkeys(row.task for row in self.rows))

    def select_task(self, task: str) -> list[ComparedRow]:
        """Return the rows of a task."""
        return [row for row in self.rows if row.task == task]

    def summarise_moves(self, task: str) -> MoveSummary:
        """Return how far the runs of a task moved."""
        rows = self.select_task(task)
        metric = list_task_metrics(task)[0]
        moves = [move for row in rows for move in row.single_moves]
        own = [
            _choose_larger(row.matched.first.records, row.matched.second.records) for row in rows
        ]
        noise = pool_spreads([_list_figures(records, metric) for records in own])
        return MoveSummary(
            task=task,
            metric=metric,
            pairs=len(moves),
            copies=sum(row.copies for row in rows),
            largest=max(map(abs, moves)) if moves else None,
            rms=find_rms(moves) if moves else None,
            seeds_apart=math.sqrt(2) * noise.sd if noise else None,
        )


def list_task_metrics(task: str) -> list[Metric]:
    """Return the metrics that are printed of a task, the most important one first."""
    return printed_metrics(find_task(task).metrics)


def compare_rows(matching: Matching) -> ComparedSides:
    """Return what became of every row that has a seed on both sides."""
    spreads = _Spreads(matching)
    rows = [_measure_row(row, spreads) for row in matching.rows if row.seeds]
    surroundings = find_other_surroundings([_select_trained_twice(row.matched) for row in rows])
    return ComparedSides(rows=_adjust_rows(rows), matching=matching, surroundings=surroundings)


class _Spreads:
    """How far the seeds of rows lie apart, over all rows of a protocol on either side."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        # Found once: they are asked for by every row with a single pair.
        self._noises: dict[tuple[str, str, str], Noise | None] = {}

    def find_noise(self, row: MatchedRow, metric: Metric) -> Noise | None:
        """Return the noise of a metric among rows that have the protocol of this one on the same side."""
        first, second = _find_protocol(row.first), _find_protocol(row.second)
        key = (first, second, metric.name)
        if key not in self._noises:
            runs = self._list_runs(first, second)
            figures = [_list_figures(records, metric) for records in runs]
            self._noises[key] = pool_spreads(figures)
        return self._noises[key]

    def _list_runs(self, first: str, second: str) -> list[Sequence[Record]]:
        """Return the runs of each row, on that side of those with the protocol which has more of them."""
        found: list[Sequence[Record]] = []
        for row in self._matching.rows:
            sides = ((row.first, first), (row.second, second))
            own = [runs.records for runs, key in sides if _find_protocol(runs) == key]
            if own:
                found.append(_choose_larger(*own))
        return found


def _find_protocol(runs: SideRuns) -> str:
    """Return the key of the protocol that all runs of a row have; nothing of a row without runs."""
    if not runs.records:
        return ""
    return find_shared_key(runs.records[0], allow_mixed=False)


def _choose_larger(*sides: Sequence[Record]) -> Sequence[Record]:
    """Return the runs of the side that has more: both together may hold one run twice, which would count for two."""
    return max(sides, key=len)


def _list_figures(records: Sequence[Record], metric: Metric) -> list[float]:
    return [record.metrics[metric.name] for record in records if metric.name in record.metrics]


def _measure_row(row: MatchedRow, spreads: _Spreads) -> ComparedRow:
    """Return a row with its own p value, and the word that it has if this stays above the level."""
    trained_twice = _list_seeds_trained_twice(row)
    seeds = trained_twice or row.seeds
    pairs = row.list_pairs(seeds)
    metrics = list_task_metrics(row.example.task)
    metric_moves = _estimate_moves(row, seeds, metrics, spreads)
    noise = None
    p_value = None
    if all(_are_equal(*pair) for pair in pairs):
        word = EQUAL
    else:
        if len(pairs) == 1:
            noise = spreads.find_noise(row, metrics[0])
        word = MOVED if len(pairs) == 1 and noise is None else WITHIN_NOISE
        if word == WITHIN_NOISE:
            p_value = p_moved(metric_moves[0].difference)
    return ComparedRow(
        matched=row,
        seeds=seeds,
        word=word,
        metric_moves=metric_moves,
        single_moves=[_find_move(pair, metrics[0]) for pair in row.list_pairs(trained_twice)],
        p_value=p_value,
        noise=noise,
        predictions_differ_pct=_compare_predictions(pairs),
        copies=len(row.seeds) - len(trained_twice),
    )


def _adjust_rows(rows: Sequence[ComparedRow]) -> list[ComparedRow]:
    """Return the rows with the p values of all of them adjusted together, and the word that follows."""
    adjusted = iter(adjust_holm([row.p_value for row in rows if row.p_value is not None]))
    judged = []
    for row in rows:
        if row.p_value is not None:
            p_value = next(adjusted)
            word = DIFFERENT if p_value <= LEVEL else row.word
            row = replace(row, p_value=p_value, word=word)
        judged.append(row)
    return judged


def _estimate_moves(
    row: MatchedRow, seeds: Sequence[int], metrics: Sequence[Metric], spreads: _Spreads
) -> list[MetricMove]:
    """Return the moves of those metrics that every run of `seeds` has."""
    first, second = (side.select_seeds(seeds) for side in (row.first, row.second))
    terms = [Term(1.0, second.by_seed), Term(-1.0, first.by_seed)]
    moves = []
    for metric in metrics:
        difference = estimate_contrast(terms, metric, seeds)
        if difference is None:
            continue
        noise = spreads.find_noise(row, metric) if len(seeds) == 1 else None
        if noise is not None:
            own = _list_figures(_choose_larger(row.first.records, row.second.records), metric)
            least_sd = find_least_sd([*first.records, *second.records], metric)
            difference = estimate_single_move(difference.mean, noise, own, least_sd)
        moves.append(
            MetricMove(
                metric=metric,
                first_mean=fmean(_list_figures(first.records, metric)),
                second_mean=fmean(_list_figures(second.records, metric)),
                difference=difference,
            )
        )
    return moves


def _find_move(pair: tuple[Record, Record], metric: Metric) -> float:
    one, other = pair
    return other.metrics[metric.name] - one.metrics[metric.name]


def is_copy(one: Record, other: Record) -> bool:
    """Return whether two records are of one training, and not of two that came out alike."""
    return name_training(one) == name_training(other) and one.metrics == other.metrics


def _are_equal(one: Record, other: Record) -> bool:
    """Return whether two runs have the same figures to the last digit, and the same outcomes where both kept them."""
    # A figure that came later than one of the records is no difference.
    for name in one.metrics.keys() & other.metrics.keys():
        if one.metrics[name] != other.metrics[name]:
            return False
    if one.outcomes is None or other.outcomes is None:
        return True
    return bool(one.outcomes["sha256"] == other.outcomes["sha256"])


def _list_seeds_trained_twice(row: MatchedRow) -> list[int]:
    """Return the seeds in common whose two records are no copies of one training."""
    pairs = zip(row.seeds, row.list_pairs(row.seeds), strict=True)
    return [seed for seed, pair in pairs if not is_copy(*pair)]


def _select_trained_twice(row: MatchedRow) -> tuple[SideRuns, SideRuns]:
    """Return the runs of both sides that are no copies: of one training nothing can differ."""
    seeds = _list_seeds_trained_twice(row)
    return row.first.select_seeds(seeds), row.second.select_seeds(seeds)


def _compare_predictions(pairs: Sequence[tuple[Record, Record]]) -> float | None:
    """Return the mean share of images, in percent, that the two runs of a seed put into different classes.

    None is returned where a run has no outcomes, or saw other images than its partner.
    """
    shares = []
    for one, other in pairs:
        first, second = load_outcomes(one), load_outcomes(other)
        if first is None or second is None or not first.has_labels_of(second):
            return None
        best, other_best = first.likeliest[:, 0], second.likeliest[:, 0]
        shares.append(100 * share_disagreeing(best, other_best))
    return fmean(shares)
