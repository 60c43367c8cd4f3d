"""Gates added up batch by batch are those of one image after another, on any number of processes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import senet_repro
from senet_repro.data.order import Share
from senet_repro.models.gates import find_se_blocks, watch_gates
from senet_repro.models.layers import Classifier
from senet_repro.tasks.classification.evaluation import EvalBatch
from senet_repro.tasks.classification.excitation import (
    GROUPS,
    GateReader,
    HeldGates,
    deal_groups,
    read_batches,
)

IMAGES, CLASSES = 23, 3
LABELS = torch.arange(IMAGES) % CLASSES


@pytest.fixture(scope="module")
def net() -> Classifier:
    torch.manual_seed(0)
    built: Classifier = senet_repro.create_model("resnet11", num_classes=CLASSES, r=4)
    return built.eval().double()


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(IMAGES, 3, 8, 8, generator=generator, dtype=torch.float64)


def cut(pictures: torch.Tensor, size: int) -> Iterator[EvalBatch]:
    for start in range(0, IMAGES, size):
        indices = list(range(start, min(start + size, IMAGES)))
        yield EvalBatch(indices, pictures[indices], LABELS[indices])


@pytest.mark.parametrize("size", [1, 5, IMAGES])
def test_sums_are_those_of_a_loop_over_single_images(
    size: int, net: Classifier, pictures: torch.Tensor
) -> None:
    blocks = find_se_blocks(net)
    reader = GateReader(blocks, LABELS, CLASSES, [2, 7])
    seen: list[int] = []
    read_batches(cut(pictures, size), lambda batch: reader.read_batch(net, batch), seen.append)
    reading = reader.finish(Share())
    assert seen[-1] == IMAGES
    groups = deal_groups(IMAGES).tolist()
    rows: dict[str, list[np.ndarray]] = {name: [] for name in blocks}
    hits = np.zeros(GROUPS)
    for index in range(IMAGES):
        with (
            torch.no_grad(),
            watch_gates(blocks, lambda name, s: rows[name].append(s[0].numpy())),
        ):
            hits[groups[index]] += int(net(pictures[index : index + 1]).argmax()) == LABELS[index]
    for name, own in reading.sums.items():
        sums = np.zeros_like(own.sums)
        squares = np.zeros_like(own.squares)
        for index, row in enumerate(rows[name]):
            sums[groups[index], LABELS[index]] += row
            squares[groups[index]] += row**2
        np.testing.assert_allclose(own.sums, sums)
        np.testing.assert_allclose(own.squares, squares)
        np.testing.assert_array_equal(own.counts.sum(axis=0), [8, 8, 7])
        np.testing.assert_allclose(reading.kept[7][name], rows[name][7])
    np.testing.assert_array_equal(reading.hits, hits)
    assert list(reading.kept) == [2, 7]


def test_held_gates_are_counted_as_if_each_image_had_the_mean(
    net: Classifier, pictures: torch.Tensor
) -> None:
    blocks = find_se_blocks(net)
    means = {name: torch.rand(block.channels).double() for name, block in blocks.items()}
    holder = HeldGates(blocks, means)
    groups = deal_groups(IMAGES)
    read_batches(
        cut(pictures, 6),
        lambda batch: holder.score_batch(net, batch, groups[batch.indices]),
        lambda _seen: None,
    )
    found = holder.finish(Share())
    assert list(found) == list(blocks)
    for name, block in blocks.items():
        handle = block.register_forward_hook(
            lambda _block, inputs, _output, own=means[name]: (
                inputs[0] * own[:, None, None] + inputs[1]
            )
        )
        with torch.no_grad():
            right = (net(pictures).argmax(1) == LABELS).double()
        handle.remove()
        expected = torch.zeros(GROUPS, dtype=torch.float64).index_add_(0, groups, right)
        np.testing.assert_array_equal(found[name], expected.numpy())


def test_groups_are_dealt_alike_and_differ_by_one_image_at_most() -> None:
    groups = deal_groups(IMAGES)
    assert torch.equal(groups, deal_groups(IMAGES))
    sizes = torch.bincount(groups, minlength=GROUPS)
    assert sorted(set(sizes.tolist())) == [2, 3]
    # In order, images of one class would share a group.
    assert not torch.equal(groups, torch.arange(IMAGES) % GROUPS)
