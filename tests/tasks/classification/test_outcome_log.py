"""Outcomes are those of the set in its order, however the images are dealt out and batched."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from senet_repro.data.order import Share
from senet_repro.tasks.classification.measures import find_hits, rank_classes
from senet_repro.tasks.classification.outcome_log import OutcomeLog, merge_shares
from senet_repro.training.task_module import TaskModule
from tests.tasks.classification.test_module import build_module

CPU = torch.device("cpu")


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("images", [1, 2, 7, 9])
def test_each_image_is_at_its_place_on_any_number_of_processes(images: int, processes: int) -> None:
    rows = np.arange(images * 4, dtype=np.int32).reshape(images, 4)
    shares = [rows[Share(rank, processes).slice_images(images)] for rank in range(processes)]
    # A process without an image knows no number of classes.
    dealt = [share if len(share) else np.empty((0, 1), np.int32) for share in shares]
    outcomes = merge_shares(dealt)
    assert outcomes.labels.tolist() == rows[:, 0].tolist()
    assert outcomes.likeliest.tolist() == rows[:, 1:].tolist()


@pytest.mark.parametrize("classes", [3, 10, 300])
def test_batches_make_no_difference(classes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(11, classes, generator=generator)
    labels = torch.randint(classes, (11,), generator=generator)
    digests = set()
    for size in (11, 4, 1):
        log = OutcomeLog(CPU)
        for batch in torch.arange(11).split(size):
            log.add_batch(labels[batch], rank_classes(logits[batch]))
        outcomes = log.gather_images(processes=1)
        digests.add(outcomes.digest)
    assert len(digests) == 1
    hits = find_hits(rank_classes(logits), labels)
    for k in (1, 5):
        assert outcomes.list_hits(k).tolist() == hits[:, :k].any(dim=1).tolist()


def test_a_task_keeps_outcomes_only_if_it_says_so() -> None:
    assert TaskModule.gather_outcomes(build_module()) is None
