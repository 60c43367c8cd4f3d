"""Optimiser and learning rate of a recipe (training floor)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch

from senet_repro.config.schema import Recipe, Schedule


def build_optimizer(parameters: Iterable[torch.nn.Parameter], recipe: Recipe) -> torch.optim.SGD:
    """Return stochastic gradient descent with momentum (section 5).

    Weight decay falls on every parameter, batch-norm scales and shifts included, as in Caffe by default. The paper
    states neither its size nor where it falls. Its authors advise in their repository (issue 8) no decay on the shifts,
    the bias of the Scale layer that follows each normalisation there; this departs from that advice.

    In detection it departs from Detectron, too, where biases have no decay and twice the learning rate: here they are
    treated as all other parameters. Detectron scales the momentum with the learning rate, which torch's form implies.

    Where all parameters lie on a GPU, one kernel updates them. On a CPU it would take 0.4 of the time, which is two
    percent of the shortest step, and its last bits are not those of the runs that there are.
    """
    parameters = list(parameters)
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
        fused=_choose_fused(parameters),
    )


def _choose_fused(parameters: Sequence[torch.nn.Parameter]) -> bool | None:
    """Return True where one kernel is to update all parameters, and None where torch is to choose."""
    are_on_gpu = all(parameter.device.type == "cuda" for parameter in parameters)
    return True if are_on_gpu else None


def adapt_to_device(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimizer that was resumed update its parameters as one that begins would.

    A checkpoint brings the choice of the device that it was written on. Its momenta lie as the parameters did then, and
    the one kernel of a GPU demands that each lies as its parameter does, which trainer.channels_last may have changed.
    """
    for group in optimizer.param_groups:
        group["fused"] = _choose_fused(group["params"])
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
        drops_so_far = sum(at >= drop for drop in schedule.drops)
        return _find_warmup_factor(schedule, at) * schedule.factor**drops_so_far

    return step_factor


def _find_warmup_factor(schedule: Schedule, at: float) -> float:
    """Return what the warm-up leaves of the learning rate at a point of the training, in the unit of its length."""
    if at >= schedule.warmup:
        return 1.0
    start = schedule.warmup_factor
    if schedule.warmup_shape == "flat":
        return start
    return start + (1 - start) * at / schedule.warmup
