"""Channels that SE blocks gate: masked, watched and ranked (models floor).

A masked channel does not exist for its block: it is zero before the squeeze, so that its z is zero and no other
channel's gate hears of it, and zero after the scaling. Without it the network gives the same logits (cutting.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from senet_repro.models.layers import Classifier
from senet_repro.models.se import SEBlock


@contextmanager
def mask_channels(blocks: Mapping[str, SEBlock], dropped: Mapping[str, Tensor]) -> Iterator[None]:
    """Mask channels within the block: `dropped` holds by name a boolean (C,), true for those that are masked."""
    with ExitStack() as stack:
        for name, drop in dropped.items():
            hook = partial(_zero_channels, drop[None, :, None, None])
            stack.enter_context(blocks[name].register_forward_pre_hook(hook))
        yield


def _zero_channels(
    drop: Tensor, _block: nn.Module, inputs: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    u, *others = inputs
    # Filled and not multiplied: zero times a gate or a map that overflowed would be no number.
    return (u.masked_fill(drop, 0), *others)


@contextmanager
def watch_channels(blocks: Mapping[str, SEBlock]) -> Iterator[dict[str, dict[str, Tensor]]]:
    """Yield what the latest batch of the block gave: `gate` and `activation`, each a (C,) in float64 by block.

    Both are sums over the images of the mean of an absolute value over positions: of s, which is positive anyhow where
    it is a sigmoid or a ReLU, and of u.
    """
    seen: dict[str, dict[str, Tensor]] = {"gate": {}, "activation": {}}
    with ExitStack() as stack:
        for name, block in blocks.items():
            for measure, module, hook in (
                ("activation", block, _sum_input),
                ("gate", block.excitation, _sum_output),
            ):
                watching = partial(hook, seen[measure], name)
                stack.enter_context(module.register_forward_hook(watching))
        yield seen


def _sum_input(
    sums: dict[str, Tensor], name: str, _block: nn.Module, inputs: tuple[Tensor, ...], _out: Tensor
) -> None:
    sums[name] = sum_magnitudes(inputs[0])


def _sum_output(
    sums: dict[str, Tensor], name: str, _layer: nn.Module, _inputs: object, s: Tensor
) -> None:
    sums[name] = sum_magnitudes(s)


def sum_magnitudes(values: Tensor) -> Tensor:
    """Return for (N, C, H, W) the sum over images of the mean of |value| over positions: (C,) in float64."""
    return values.abs().mean((2, 3), dtype=torch.float64).sum(0)


def find_least(importance: Tensor, share_pct: int) -> Tensor:
    """Return a boolean (C,), true for the least important share of channels, in percent, rounded down.

    Of channels of one importance those with the lower index come first.
    """
    count = len(importance) * share_pct // 100
    drop = torch.zeros(len(importance), dtype=torch.bool)
    drop[torch.argsort(importance, stable=True)[:count]] = True
    return drop


def enter_stages(net: Classifier, images: Tensor) -> dict[str, Tensor]:
    """Return what enters each stage for images of (N, 3, H, W), by the key of the stage."""
    x = net.stem(images)
    entering = {}
    for key, stage in net.stages.items():
        entering[key] = x
        x = stage(x)
    return entering


def finish_stages(net: Classifier, first: str, x: Tensor) -> Tensor:
    """Return logits (N, classes) for what enters the stage `first`; stages before it are not computed again."""
    keys = list(net.stages)
    for key in keys[keys.index(first) :]:
        x = net.stages[key](x)
    logits: Tensor = net.head(x)
    return logits
