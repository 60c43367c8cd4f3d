"""Optimiser and learning rate of a recipe (training floor)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch

from senet_repro.config.schema import Recipe, Schedule


def build_optimizer(parameters: Iterable[torch.nn.Parameter], recipe: Recipe) -> torch.optim.SGD:
    """Return stochastic gradient descent with momentum (section 5).

    Weight decay falls on every parameter, batch-norm scales and shifts included, as in Caffe by default. The paper
    states neither its size nor where it falls. Its authors advise in their repository (issue 8) no decay on the shifts,
    the bias of the Scale layer that follows each normalisation there; this departs from that advice.

    Where all parameters lie on a GPU, one kernel updates them. On a CPU it would take 0.4 of the time, which is two
    percent of the shortest step, and its last bits are not those of the runs that there are.
    """
    parameters = list(parameters)
    are_on_gpu = all(parameter.device.type == "cuda" for parameter in parameters)
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
        # None is torch's own choice.
        fused=True if are_on_gpu else None,
    )


def match_layouts(optimizer: torch.optim.Optimizer) -> None:
    """Let each momentum lie in memory as its parameter does, which the one kernel of a GPU demands.

    Those of a checkpoint lie as the parameters did then, and trainer.channels_last may have changed since.
    """
    for parameter, state in optimizer.state.items():
        momentum = state.get("momentum_buffer")
        if momentum is not None and momentum.stride() != parameter.stride():
            state["momentum_buffer"] = torch.empty_like(parameter).copy_(momentum)


def build_schedule(schedule: Schedule) -> Callable[[float], float]:
    """Return the factor of the learning rate as a function of progress: 0 at the first step, towards 1 at the last.

    A step schedule drops at `drops / length` of the training and warms up until `warmup / length`, so a shortened
    recipe does so in proportion. A plateau schedule is no such function: it follows the loss on the evaluation images,
    the very ones whose errors are reported (task_module.py).
    """
    if schedule.kind == "cosine":
        return lambda progress: (1 + math.cos(math.pi * progress)) / 2
    # A plateau schedule never comes here, and validation knows no other kind.
    assert schedule.kind == "step", schedule.kind

    def step_factor(progress: float) -> float:
        at = progress * schedule.length
        warmup_factor = schedule.warmup_factor if at < schedule.warmup else 1.0
        drops_so_far = sum(at >= drop for drop in schedule.drops)
        return warmup_factor * schedule.factor**drops_so_far

    return step_factor
