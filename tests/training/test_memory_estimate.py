"""The memory of a training, estimated before it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from senet_repro.config.composition import compose
from senet_repro.config.schema import Run
from senet_repro.training.memory_estimate import (
    _count_eval_images,
    _KeptTensors,
    estimate_memory,
)


@pytest.fixture(scope="module")
def a_run() -> Run:
    # So large a batch that training, not evaluation, needs the most.
    return compose(["recipe.batch_size=512"])


def change(run: Run, **changes: Any) -> Run:
    """A run with other values, of its own or below `recipe`, `trainer` and `data`."""
    for part in ("recipe", "trainer", "data"):
        values = changes.pop(part, {})
        changes[part] = replace(getattr(run, part), **values)
    return replace(run, **changes)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"trainer": {"precision": "bf16-mixed"}}, {}),
        ({"trainer": {"accumulate": 2}}, {}),
        ({}, {"recipe": {"batch_size": 1024}}),
        ({"stages": "none"}, {}),
        ({}, {"squeeze": "none"}),
        ({}, {"data": {"flip": True}}),
    ],
    ids=["16 bits", "smaller parts", "batch", "no SE", "no squeeze", "mirror images"],
)
def test_what_needs_less_memory_is_estimated_to(
    less: dict[str, Any], more: dict[str, Any], a_run: Run
) -> None:
    smaller, larger = (estimate_memory(change(a_run, **changes)) for changes in (less, more))
    assert smaller is not None
    assert larger is not None
    assert smaller < larger


@pytest.mark.parametrize(
    ("data", "is_on_gpu", "expected"),
    [
        ({"eval_px": 32, "eval_images": 10_000}, True, 2_000),
        ({"eval_px": 32, "eval_images": 10_000}, False, 125),
        ({"eval_px": 32, "eval_images": 360}, True, 360),
        ({"kind": "folders"}, True, 64),
    ],
)
def test_an_evaluation_counts_with_its_own_batch(
    data: dict[str, Any], is_on_gpu: bool, expected: int, a_run: Run
) -> None:
    run = change(a_run, data=data, recipe={"batch_size": 64})
    assert _count_eval_images(run, is_on_gpu) == expected


def test_a_network_is_measured_once(a_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = estimate_memory(a_run)
    monkeypatch.setattr("senet_repro.training.memory_estimate.network_of", None)
    assert estimate_memory(change(a_run, seed=5)) == first


def test_a_network_that_takes_no_such_images_has_no_estimate(
    a_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = nn.Conv2d(4, 4, 1)
    monkeypatch.setattr("senet_repro.training.memory_estimate.network_of", lambda _: narrow)
    assert estimate_memory(change(a_run, r=5)) is None


def test_what_is_kept_for_gradients_is_counted_once_and_weights_are_not() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 1))
    kept = _KeptTensors(net)
    images = torch.zeros(2, 3, 8, 8)
    with torch.autograd.graph.saved_tensors_hooks(kept.keep_tensor, lambda tensor: tensor):
        net(images)
    # The images, and the map between the layers: an output of one is the input of the next.
    map_bytes = 2 * 4 * 8 * 8 * 4
    assert kept.total_bytes == 2 * 3 * 8 * 8 * 4 + map_bytes
    assert kept.largest_bytes == map_bytes
