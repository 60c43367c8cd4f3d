"""SE beside the network without it, in training and in inference (benchmarks floor).

Section 4 gives 209 ms to 190 for a training step of 256 images on eight GPUs, and 167 ms to 164 for one image on a CPU,
where SE adds 0.26 % to the multiply-adds. Another yardstick on the CPU is timm: its `legacy_seresnet50` beside its
`resnet50`, which strides in another convolution and counts 6 % more multiply-adds than the former would without SE.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec

import torch
from torch import nn
from torch.nn import functional as F

from senet_repro.benchmarks.measurement import Measurement, measure_in_turn, require_agreement
from senet_repro.benchmarks.network_settings import PRECISIONS, Plan, shrink_images, take_device
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.timing import (
    Call,
    Setting,
    prepare_inference,
    prepare_training,
    time_calls,
)
from senet_repro.models import network_of
from senet_repro.models.layers import Classifier
from senet_repro.models.scale import GlobalAverage
from senet_repro.models.se import SEBlock

# At most so many times the time without SE, on a GPU with compiled code.
TRAINING_GOAL = 1.05
INFERENCE_GOAL = 1.01
# In float64, relative to the largest value. Batch normalisation makes much of rounding where it sees few values.
TOLERANCE = 1e-6
# A gradient that is smaller beside the largest one of its network is none.
ROUNDING = 1e-9
CHECK_PX = 64

Prepare = Callable[[nn.Module, Setting], Call]


def measure_cost(options: BenchOptions) -> list[Measurement]:
    """Measure the network of the overrides, or else ResNet-50: eager in both precisions, and compiled on a GPU.

    `trainer.compile=true` has it compiled on the CPU too, which takes minutes. A CPU without kernels for bf16 is timed
    in float32 alone, which is not compiled.

    Raises:
        RuntimeError: the gate's own gradients are not those of the plain formula.
    """
    return list(measure_each_cost(options))


def measure_each_cost(options: BenchOptions) -> Iterator[Measurement]:
    """Yield the measurements of `measure_cost`, each as soon as it is there: all of them may take minutes.

    Raises:
        RuntimeError: as there.
    """
    with take_device(options) as plan:
        check = check_gradients(plan)
        for precision, is_compiled in _list_ways(plan, options.is_quick):
            yield from _measure_precision(plan, precision, is_compiled, check)
        is_timm_known = plan.run.model.name == "resnet50" and find_spec("timm") is not None
        if is_timm_known and not plan.is_on_gpu and not options.is_quick:
            yield from _measure_ratios(plan, check)


def _list_ways(plan: Plan, is_quick: bool) -> list[tuple[str, bool]]:
    """Return the precisions in their order, and whether each is compiled."""
    may_compile = plan.is_on_gpu and not is_quick
    ways = []
    for precision in plan.choose_precisions():
        ways.append((precision, False))
        if precision == "bf16-mixed" and (may_compile or plan.run.trainer.compile is True):
            ways.append((precision, True))
    return ways


def check_gradients(plan: Plan) -> str:
    """Return in words how closely loss and gradients agree with those of the plain formula, in float64."""
    ours = build_network(plan, with_se=True).double()
    plain = copy.deepcopy(ours)
    for block in plain.modules():
        # The block knows a short way for its own average alone.
        if isinstance(block, SEBlock) and isinstance(block.squeeze, GlobalAverage):
            block.squeeze = nn.AdaptiveAvgPool2d(1)
    # Not the pixels of a rehearsal: two images that come to maps of one pixel are two values to normalise.
    px = shrink_images(plan.run, CHECK_PX)
    setting = Setting(device=plan.device, precision="64-true", batch=2, px=px)
    found, expected = _find_gradients(ours, setting), _find_gradients(plain, setting)
    largest = max(float(other.abs().max()) for other in expected)
    difference = 0.0
    for one, other in zip(found, expected, strict=True):
        # A bias before batch normalisation has a gradient of 0, but for rounding.
        scale = max(float(other.abs().max()), ROUNDING * largest)
        difference = max(difference, float((one - other).abs().max()) / scale)
    name = "losses and gradients of the gate and of its plain formula in float64"
    return require_agreement(name, difference, TOLERANCE)


def _find_gradients(net: nn.Module, setting: Setting) -> list[torch.Tensor]:
    """Return the loss of a batch and the gradient of every parameter."""
    setting.place_network(net)
    images = setting.draw_images().double()
    labels = torch.arange(setting.batch, device=setting.device)
    # Both drop the same units, where there is dropout.
    torch.manual_seed(0)
    loss = F.cross_entropy(net.train()(images), labels)
    return [loss.detach(), *torch.autograd.grad(loss, list(net.parameters()))]


def _measure_precision(
    plan: Plan, precision: str, is_compiled: bool, check: str
) -> Iterator[Measurement]:
    """Yield a training step, and inference of a batch and of one image."""
    setting = plan.choose_setting(precision, is_compiled=is_compiled)
    single = plan.choose_setting(precision, batch=1, is_compiled=is_compiled)
    goals: tuple[float | None, float | None] = (None, None)
    if is_compiled and plan.is_on_gpu:
        goals = TRAINING_GOAL, INFERENCE_GOAL
    training, inference = goals
    yield _measure_pair(plan, setting, "training step", prepare_training, training, check)
    yield _measure_pair(plan, setting, "inference", prepare_inference, inference, check)
    yield _measure_pair(plan, single, "inference", prepare_inference, inference, check)


def _measure_pair(
    plan: Plan,
    setting: Setting,
    what: str,
    prepare: Prepare,
    goal: float | None,
    check: str,
) -> Measurement:
    """Return SE beside plain, in turn."""
    with_se, without = (
        prepare(build_network(plan, with_se=with_se), setting) for with_se in (True, False)
    )
    return measure_in_turn(
        lambda: time_calls(with_se, setting.device, plan.calls),
        lambda: time_calls(without, setting.device, plan.calls),
        plan.rounds,
        what=f"{what}, SE-{plan.run.model.name}, {setting.describe()}",
        yardstick=_name_yardstick(plan, what, setting),
        goal=goal,
        check=check,
    )


def _name_yardstick(plan: Plan, what: str, setting: Setting) -> str:
    """Return what SE is set beside, with the ratio of section 4 where it is that."""
    words = "the network without SE"
    if plan.run.model.name != "resnet50":
        return words
    if what == "training step":
        return f"{words} (section 4: 209/190 = 1.10 in batches of 256, on eight GPUs)"
    if setting.batch == 1:
        return f"{words} (section 4: 167/164 = 1.02 for one image, on a CPU)"
    return words


def _measure_ratios(plan: Plan, check: str) -> list[Measurement]:
    """Return how much longer SE takes than plain, beside how much longer it does in timm."""
    import timm

    setting = plan.choose_setting(PRECISIONS[0])
    measurements = []
    kinds: list[tuple[str, Prepare]] = [
        ("training step", prepare_training),
        ("inference", prepare_inference),
    ]
    for what, prepare in kinds:
        ours = [prepare(build_network(plan, with_se=with_se), setting) for with_se in (True, False)]
        names = ("legacy_seresnet50", "resnet50")
        theirs = [prepare(timm.create_model(name, pretrained=False), setting) for name in names]
        measurements.append(
            measure_in_turn(
                _take_ratio(plan, ours),
                _take_ratio(plan, theirs),
                plan.rounds,
                what=f"SE to plain, {what}, resnet50, {setting.describe()}",
                yardstick="timm's legacy_seresnet50 to its resnet50",
                unit="x plain",
                goal=1.0,
                check=check,
            )
        )
    return measurements


def _take_ratio(plan: Plan, calls: list[Call]) -> Callable[[], float]:
    """Return a function that times two calls, one after the other, and divides the first by the second."""

    def take_ratio() -> float:
        with_se, without = (time_calls(call, plan.device, plan.calls) for call in calls)
        return with_se / without

    return take_ratio


def build_network(plan: Plan, with_se: bool) -> Classifier:
    """Return the network of the plan for the classes of a setting, with the same weights where both have them."""
    run = plan.run if with_se else replace(plan.run, r="none")
    run = replace(run, data=replace(run.data, classes=Setting.classes))
    torch.manual_seed(0)
    return network_of(run)
