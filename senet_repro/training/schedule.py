"""Optimiser and learning rate of a recipe (training floor)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch

from senet_repro.config.schema import Recipe, Schedule


def sgd(parameters: Iterable[torch.nn.Parameter], recipe: Recipe) -> torch.optim.SGD:
    """Stochastic gradient descent with momentum (section 5).

    Weight decay falls on every parameter, batch-norm scales and biases included, as in Caffe by default; the paper
    states neither its size nor where it falls.
    """
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
    )


def lr_factor(schedule: Schedule) -> Callable[[float], float]:
    """What the learning rate is multiplied by, as a function of progress: 0 at the first step, towards 1 at the last.

    A step schedule drops at `drops / length` of the training and warms up until `warmup / length`, so a shortened
    recipe does so in proportion.
    """
    if schedule.kind == "cosine":
        return lambda progress: (1 + math.cos(math.pi * progress)) / 2
    assert schedule.kind == "step", schedule.kind

    def step(progress: float) -> float:
        at = progress * schedule.length
        warmup = schedule.warmup_factor if at < schedule.warmup else 1.0
        return warmup * schedule.factor ** sum(at >= drop for drop in schedule.drops)

    return step
