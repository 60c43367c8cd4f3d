"""Measure how important channels are, and count the errors without the least important (execution floor; torch)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from senet_repro.config.evaluation import CropRule
from senet_repro.config.importance import (
    ACTIVATION,
    ALL_STAGES,
    BATCHNORM,
    DRAWS,
    GATE,
    L1,
    RANDOM,
    SHARES_PCT,
)
from senet_repro.data.order import Share
from senet_repro.execution.loaded_target import LoadedTarget
from senet_repro.models.cutting import find_makers
from senet_repro.models.gates import find_se_blocks
from senet_repro.models.layers import Classifier
from senet_repro.models.masking import (
    enter_stages,
    find_least,
    finish_stages,
    mask_channels,
    watch_channels,
)
from senet_repro.tasks.classification.evaluation import EvalBatch

Ranking = dict[str, Tensor]
"""The importance of each channel of each block: (C,) in float64, by the block's name."""

Report = Callable[[int], None]
"""Is told how many images of a pass this process has done."""

Part = TypeVar("Part")


@dataclass(frozen=True)
class Halves:
    """Divides images into those that importance is measured on and those that errors are counted on.

    Of `total` images `used` are taken, evenly spread, and of these every other one is of the first half.
    """

    total: int
    used: int

    def pick_images(self, batch: EvalBatch, half: int) -> tuple[Tensor, Tensor]:
        """Return pictures and labels of a batch that belong to half 0, which is measured, or 1, which is scored."""
        chosen = [place for place, index in enumerate(batch.indices) if self._is_in(index, half)]
        return batch.pictures[chosen], batch.labels[chosen]

    def count_images(self, half: int) -> int:
        """Return how many images a half has."""
        return (self.used + 1 - half) // 2

    def _is_in(self, index: int, half: int) -> bool:
        rank = self._rank_image(index)
        is_used = index == 0 or rank != self._rank_image(index - 1)
        return is_used and rank % 2 == half

    def _rank_image(self, index: int) -> int:
        return index * self.used // self.total


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Names channels that are masked together."""

    scope: str  # the number of a stage, or ALL_STAGES
    measure: str
    ranking: int  # which of several of the measure
    share_pct: int
    dropped: dict[str, Tensor]  # by block, a boolean (C,)

    @property
    def first_stage(self) -> str:
        """Return the stage before which nothing is masked."""
        return find_stage(next(iter(self.dropped)))


def find_stage(block_name: str) -> str:
    """Return the number of the stage that a block stands in."""
    return block_name.split("_")[1]


@torch.inference_mode()
def rank_channels(
    loaded: LoadedTarget,
    rule: CropRule,
    halves: Halves,
    measures: Sequence[str],
    report: Report,
) -> dict[str, list[Ranking]]:
    """Return the rankings by each measure: one, or as many as there are draws.

    Gates and activations are means over the measured half of the images, the same on any number of processes.
    """
    net = loaded.net
    rankings = {}
    if GATE in measures or ACTIVATION in measures:
        measured = _measure_images(loaded, rule, halves, report)
        rankings = {name: [one] for name, one in measured.items() if name in measures}
    for measure in (L1, BATCHNORM):
        if measure in measures:
            rankings[measure] = [read_layers(net, measure)]
    if RANDOM in measures:
        rankings[RANDOM] = [draw_ranking(net, draw) for draw in range(DRAWS)]
    return {measure: rankings[measure] for measure in measures}


def _measure_images(
    loaded: LoadedTarget, rule: CropRule, halves: Halves, report: Report
) -> dict[str, Ranking]:
    """Return the mean gate and activation of each channel over the measured half."""
    sums: dict[int, dict[str, Ranking]] = {}
    done = 0
    with watch_channels(find_se_blocks(loaded.net)) as seen:
        for batch in loaded.iterate_batches(rule):
            pictures, _ = halves.pick_images(batch, 0)
            if len(pictures):
                with loaded.choose_precision():
                    loaded.net(pictures)
                sums[batch.indices[0]] = {name: _bring_home(one) for name, one in seen.items()}
            done += len(batch.indices)
            report(done)
    count = halves.count_images(0)
    # One after another in the order of the set: the same sums on any number of processes.
    totals: dict[str, dict[str, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
    for part in gather_batches(sums, loaded.share):
        for measure, ranking in part.items():
            for name, values in ranking.items():
                totals[measure][name].append(values)
    return {
        measure: {name: torch.stack(values).sum(0) / count for name, values in by_block.items()}
        for measure, by_block in totals.items()
    }


def _bring_home(ranking: Mapping[str, Tensor]) -> Ranking:
    return {name: values.cpu() for name, values in ranking.items()}


def read_layers(net: Classifier, measure: str) -> Ranking:
    """Return the L1 norm of each channel's filter, or the absolute scale of its batch normalisation."""
    ranking = {}
    for name, maker in find_makers(net).items():
        assert maker is not None, f"{name} gates more than one convolution"
        if measure == L1:
            values = maker.conv.weight.double().abs().sum((1, 2, 3))
        else:
            assert maker.bn is not None, f"{name} gates what has no BN"
            values = maker.bn.weight.double().abs()
        ranking[name] = values.detach().cpu()
    return ranking


def draw_ranking(net: Classifier, draw: int) -> Ranking:
    """Return a random importance of every channel, the same whenever the same draw is asked for."""
    generator = torch.Generator().manual_seed(draw)
    ranking = {}
    for name, block in find_se_blocks(net).items():
        weight = block.fc2.weight
        assert isinstance(weight, Tensor)
        ranking[name] = torch.rand(len(weight), generator=generator, dtype=torch.float64)
    return ranking


def list_scopes(net: Classifier) -> list[str]:
    """Return each stage that has blocks, and all together if they are several."""
    stages = list(dict.fromkeys(find_stage(name) for name in find_se_blocks(net)))
    return [*stages, ALL_STAGES] if len(stages) > 1 else [ALL_STAGES]


def list_masks(net: Classifier, rankings: Mapping[str, Sequence[Ranking]]) -> list[Mask]:
    """Return every mask: a share of the channels of each block in a scope, by each ranking."""
    masks: list[Mask] = []
    for scope in list_scopes(net):
        for measure, several in rankings.items():
            for number, ranking in enumerate(several):
                masks += _list_shares(scope, measure, number, ranking)
    return masks


def _list_shares(scope: str, measure: str, number: int, ranking: Ranking) -> Iterator[Mask]:
    for share_pct in SHARES_PCT:
        dropped = {
            name: find_least(values, share_pct)
            for name, values in ranking.items()
            if scope in (ALL_STAGES, find_stage(name))
        }
        yield Mask(
            scope=scope, measure=measure, ranking=number, share_pct=share_pct, dropped=dropped
        )


@torch.inference_mode()
def count_misses(
    loaded: LoadedTarget, rule: CropRule, halves: Halves, masks: Sequence[Mask], report: Report
) -> Tensor:
    """Return how many images of the scored half are wrong, without a mask and with each: (1 + masks,).

    Each batch is read once and shown with every mask. The same counts are on every process.
    """
    net = loaded.net
    blocks = find_se_blocks(net)
    placed = [
        {name: drop.to(loaded.device) for name, drop in mask.dropped.items()} for mask in masks
    ]
    misses: dict[int, Tensor] = {}
    seen = 0
    for batch in loaded.iterate_batches(rule):
        pictures, labels = halves.pick_images(batch, 1)
        seen += len(batch.indices)
        if not len(pictures):
            continue
        labels = labels.to(loaded.device)
        with loaded.choose_precision():
            entering = enter_stages(net, pictures)
            counts = [count_wrong(net(pictures), labels)]
            for done, (mask, dropped) in enumerate(zip(masks, placed, strict=True), 1):
                with mask_channels(blocks, dropped):
                    logits = finish_stages(net, mask.first_stage, entering[mask.first_stage])
                counts.append(count_wrong(logits, labels))
                report(seen - len(batch.indices) * (len(masks) - done) // len(masks))
        misses[batch.indices[0]] = torch.stack(counts).cpu()
    return torch.stack(gather_batches(misses, loaded.share)).sum(0)


def count_wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how many images' likeliest class is another than their label."""
    return (logits.argmax(1) != labels).sum()


def gather_batches(own: dict[int, Part], share: Share) -> list[Part]:
    """Return what all processes found of their batches, batch by batch; `own` goes by their first image."""
    parts: list[dict[int, Part] | None] = [own]
    if share.world_size > 1:
        parts = [None] * share.world_size
        torch.distributed.all_gather_object(parts, own)
    merged: dict[int, Part] = {}
    for part in parts:
        merged |= part or {}
    return [merged[first] for first in sorted(merged)]
