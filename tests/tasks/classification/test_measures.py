"""Metrics of classification are exact counts over images, however they come in batches."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from senet_repro.tasks.classification.measures import (
    TopKError,
    find_hits,
    rank_classes,
)
from senet_repro.training.measures import MeanLoss


def test_metrics_equal_a_count_by_hand() -> None:
    generator = torch.Generator().manual_seed(0)
    loss, top1, top5 = MeanLoss(), TopKError(1), TopKError(5)
    loss_sum = top1_misses = top5_misses = images = 0.0
    for size in (7, 5, 1):
        logits = torch.randn(size, 8, generator=generator)
        labels = torch.randint(8, (size,), generator=generator)
        hits = find_hits(rank_classes(logits), labels)
        loss.update(F.cross_entropy(logits, labels), size)
        top1.update(hits, size)
        top5.update(hits, size)
        for row, label in zip(logits, labels, strict=True):
            rank = int((row > row[label]).sum())
            loss_sum += float(torch.logsumexp(row, 0) - row[label])
            top1_misses += rank >= 1
            top5_misses += rank >= 5
            images += 1
    assert float(loss.compute()) == pytest.approx(loss_sum / images, rel=1e-5)
    assert float(top1.compute()) == pytest.approx(100 * top1_misses / images, rel=1e-12)
    assert float(top5.compute()) == pytest.approx(100 * top5_misses / images, rel=1e-12)


def test_percentages_are_those_of_double_precision() -> None:
    error = TopKError(1)
    error.update(torch.tensor([[True], [True], [False]]), 3)
    assert float(error.compute()) == 100 * (1 - 2 / 3)


def test_fewer_classes_than_ranks_are_always_hit() -> None:
    logits, labels = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    error = TopKError(5)
    error.update(find_hits(rank_classes(logits), labels), 4)
    assert float(error.compute()) == 0


def test_counts_are_integers_and_sums_are_doubles() -> None:
    assert {state.dtype for state in TopKError(1).metric_state.values()} == {torch.int64}
    assert MeanLoss().metric_state["total"].dtype == torch.float64
