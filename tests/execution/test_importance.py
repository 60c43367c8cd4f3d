"""Masks scored on images: in one pass as image by image, and alike on any number of processes."""

from __future__ import annotations

import copy
import threading
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch

from senet_repro.config.composition import compose
from senet_repro.config.evaluation import CropRule
from senet_repro.config.schema import Run
from senet_repro.data.order import Share
from senet_repro.execution import channel_importance
from senet_repro.execution.channel_importance import (
    Halves,
    Mask,
    count_misses,
    draw_ranking,
    list_masks,
    rank_channels,
)
from senet_repro.execution.loaded_target import LoadedTarget
from senet_repro.models import network_of
from senet_repro.models.gates import find_se_blocks
from senet_repro.models.layers import Classifier
from senet_repro.models.masking import find_least
from senet_repro.tasks.classification.evaluation import EvalBatch
from tests.models.networks import randomise_statistics

pytestmark = pytest.mark.usefixtures("one_thread")

RULE = CropRule(size_px=8, resize_px=None)
IMAGES = 13


class Images(LoadedTarget):
    """A network and images in batches of three, without data of its own: `images` holds pictures and labels."""

    def iterate_batches(self, rule: CropRule) -> Any:
        pictures, labels = self.images
        starts = range(0, IMAGES, 3)
        for start in starts[self.share.slice_images(len(starts))]:
            indices = list(range(start, min(start + 3, IMAGES)))
            yield EvalBatch(indices, pictures[indices], labels[indices])


@cache
def draw_network() -> tuple[Run, Classifier, tuple[torch.Tensor, torch.Tensor]]:
    """A network with random weights, and images that it gets right but for the last: masks make it wrong."""
    run = compose(["model=resnet11", "trainer.accelerator=cpu"])
    torch.manual_seed(1)
    net = network_of(run).eval()
    randomise_statistics(net)
    pictures = torch.randn(IMAGES, 3, 8, 8)
    with torch.no_grad():
        labels = net(pictures).argmax(1)
    labels[-2] = (labels[-2] + 1) % 10
    return run, net, (pictures, labels)


def load_images(share: Share | None = None) -> Images:
    run, net, images = draw_network()
    return Images(
        run=run,
        net=copy.deepcopy(net),
        images=images,  # type: ignore[arg-type]
        preprocessing=None,  # type: ignore[arg-type]
        device=torch.device("cpu"),
        share=share or Share(),
    )


def score(loaded: Images) -> tuple[dict[str, Any], list[Mask], list[int]]:
    halves = Halves(IMAGES, IMAGES)
    measures = ["gate", "l1", "batchnorm", "activation", "random"]
    ranked = rank_channels(loaded, RULE, halves, measures, lambda _done: None)
    masks = list_masks(loaded.net, ranked)[::53]  # type: ignore[arg-type]
    misses = count_misses(loaded, RULE, halves, masks, lambda _done: None)
    return ranked, masks, misses.tolist()


@torch.no_grad()
def test_one_pass_counts_what_is_wrong_image_by_image_with_each_mask_and_without() -> None:
    loaded = load_images()
    ranked, masks, misses = score(loaded)
    assert list(ranked) == ["gate", "l1", "batchnorm", "activation", "random"]
    blocks = find_se_blocks(loaded.net)  # type: ignore[arg-type]
    empty = Mask(scope="all", measure="gate", ranking=0, share_pct=0, dropped={})
    assert misses[0] == 1
    assert len(set(misses)) > 2
    for mask, expected in zip([empty, *masks], misses, strict=True):
        handles = []
        for name, drop in mask.dropped.items():
            keep = (~drop).float()[None, :, None, None]
            handles.append(
                blocks[name].register_forward_pre_hook(
                    lambda _block, inputs, keep=keep: (inputs[0] * keep, *inputs[1:])
                )
            )
        wrong = 0
        for batch in loaded.iterate_batches(RULE):
            for index, picture, label in zip(
                batch.indices, batch.pictures, batch.labels, strict=True
            ):
                # Odd ones alone: the even ones told how important channels are.
                if index % 2 == 1:
                    wrong += int(loaded.net(picture[None]).argmax()) != int(label)
        assert wrong == expected, mask
        for handle in handles:
            handle.remove()


@torch.no_grad()
def test_importance_is_measured_on_the_even_images_alone() -> None:
    loaded = load_images()
    ranked, _, _ = score(loaded)
    block = find_se_blocks(loaded.net)["SE_3_1"]  # type: ignore[arg-type]
    gates: list[torch.Tensor] = []
    block.excitation.register_forward_hook(lambda _layer, _inputs, s: gates.append(s[0, :, 0, 0]))
    for batch in loaded.iterate_batches(RULE):
        for index, picture in zip(batch.indices, batch.pictures, strict=True):
            if index % 2 == 0:
                loaded.net(picture[None])
    assert len(gates) == 7
    mean = torch.stack(gates).double().mean(0)
    assert torch.allclose(ranked["gate"][0]["SE_3_1"], mean, atol=1e-6)


def test_two_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    ranked, _, misses = score(load_images())
    meeting = threading.Barrier(2)
    brought: dict[int, Any] = {}
    ranks = threading.local()

    def gather(parts: list[Any], own: Any) -> None:
        brought[ranks.own] = own
        meeting.wait(60)
        parts[:] = [brought[0], brought[1]]
        meeting.wait(60)

    monkeypatch.setattr(channel_importance.torch.distributed, "all_gather_object", gather)
    found: dict[int, Any] = {}

    def work(rank: int) -> None:
        ranks.own = rank
        found[rank] = score(loaded[rank])

    loaded = {rank: load_images(Share(rank, 2)) for rank in (0, 1)}
    threads = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rank in (0, 1):
        others, _, counts = found[rank]
        assert counts == misses
        for measure, rankings in ranked.items():
            for one, other in zip(rankings, others[measure], strict=True):
                assert all(torch.equal(one[name], other[name]) for name in one)


def test_random_draws_are_the_same_each_time_and_differ_from_each_other() -> None:
    net = load_images().net
    first, again, other = (draw_ranking(net, draw) for draw in (0, 0, 1))  # type: ignore[arg-type]
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_masks_are_of_one_stage_each_and_of_all() -> None:
    net = load_images().net
    ranking = draw_ranking(net, 0)  # type: ignore[arg-type]
    masks = list_masks(net, {"random": [ranking]})  # type: ignore[arg-type]
    assert [mask.scope for mask in masks[::9]] == ["2", "3", "4", "all"]
    assert [mask.share_pct for mask in masks[:9]] == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    for mask in masks:
        names = [name for name in ranking if mask.scope in ("all", name.split("_")[1])]
        assert list(mask.dropped) == names
        for name, drop in mask.dropped.items():
            assert torch.equal(drop, find_least(ranking[name], mask.share_pct))


@pytest.mark.parametrize(("total", "used"), [(10, 10), (10, 4), (7, 3), (11, 2)])
def test_so_many_images_are_used_once_each_in_two_halves_evenly_spread(
    total: int, used: int
) -> None:
    halves = Halves(total, used)
    batch = EvalBatch(list(range(total)), torch.arange(total), torch.arange(total))
    measured, scored = (halves.pick_images(batch, half)[1].tolist() for half in (0, 1))
    assert len(measured) == halves.count_images(0)
    assert len(scored) == halves.count_images(1)
    assert not set(measured) & set(scored)
    together = sorted(measured + scored)
    assert len(together) == used
    steps = [later - earlier for earlier, later in pairwise(together)]
    assert max(steps) - min(steps) <= 1
