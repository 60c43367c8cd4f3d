"""SE-ResNet-50 beside timm's `legacy_seresnet50`, its weights imported from there (benchmarks floor)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from senet_repro.benchmarks.measurement import Measurement, measure_in_turn, require_agreement
from senet_repro.benchmarks.network_settings import Plan, take_device
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.timing import (
    Setting,
    prepare_inference,
    prepare_training,
    time_calls,
)
from senet_repro.core.errors import ConfigError
from senet_repro.models import create_model, import_weights
from senet_repro.models.layers import Classifier
from senet_repro.models.released import RELEASES

# At most so many times timm's time: on the CPU, and on a GPU in eager bf16.
CPU_GOAL = 0.95
GPU_GOAL = 0.85
# In float64, relative to the largest logit. Batch normalisation makes much of rounding where it sees few values, so
# that the images are not too small.
TOLERANCE = 1e-6
CHECK_PX = 64
OURS = "resnet50"
Pair = tuple[Classifier, nn.Module]
"""Our network and timm's."""

RELEASE = RELEASES["timm"][OURS]


def measure_peers(options: BenchOptions) -> list[Measurement]:
    """Measure a training step and inference in both precisions, eager, in the same format and batches.

    A CPU without kernels for bf16 is timed in float32 alone.

    Raises:
        ConfigError: timm is not installed, or another network is asked for.
        RuntimeError: the logits of both differ with the same weights.
    """
    return list(measure_each_peer(options))


def measure_each_peer(options: BenchOptions) -> Iterator[Measurement]:
    """Yield the measurements of `measure_peers`, each as soon as it is there.

    Raises:
        ConfigError, RuntimeError: as there.
    """
    if find_spec("timm") is None:
        raise ConfigError(
            "bench peers: its yardstick, timm, is not installed; pip install timm, or make setup in a checkout"
        )
    with take_device(options) as plan:
        if plan.run.model.name != OURS:
            raise ConfigError(
                f"bench peers: timm's yardstick is {RELEASE.name}; leave model={plan.run.model.name} out"
            )
        pair = build_pair()
        check = _check_logits(plan, pair)
        for precision in plan.choose_precisions():
            setting = plan.choose_setting(precision)
            yield from _measure_setting(plan, setting, pair, check)


def build_pair() -> Pair:
    """Return our network and timm's, with the same random weights."""
    import timm

    torch.manual_seed(0)
    # Its dropout before the classifier is none of the paper's.
    theirs: nn.Module = timm.create_model(RELEASE.name, pretrained=False, drop_rate=0.0)
    settings: dict[str, Any] = {**RELEASE.settings}
    ours = create_model(OURS, **settings)
    import_weights(ours, theirs.state_dict(), "timm")
    return ours, theirs


def _check_logits(plan: Plan, pair: Pair) -> str:
    """Return in words how closely the logits of both agree, in evaluation and in training."""
    setting = Setting(device=plan.device, precision="64-true", batch=2, px=CHECK_PX)
    images = setting.draw_images().double()
    difference = 0.0
    for is_training in (False, True):
        logits = []
        for net in pair:
            setting.place_network(net.double())
            with torch.no_grad():
                logits.append(net.train(is_training)(images))
        largest = float(logits[1].abs().max())
        difference = max(difference, float((logits[0] - logits[1]).abs().max()) / largest)
    for net in pair:
        net.float()
    return require_agreement(
        "logits of both, with timm's weights in float64,", difference, TOLERANCE
    )


def _measure_setting(plan: Plan, setting: Setting, pair: Pair, check: str) -> Iterator[Measurement]:
    """Yield a training step and inference, ours beside timm's."""
    goal: float | None = CPU_GOAL
    if plan.is_on_gpu:
        goal = GPU_GOAL if setting.precision == "bf16-mixed" else None
    for what, prepare in (("training step", prepare_training), ("inference", prepare_inference)):
        ours, theirs = (prepare(net, setting) for net in pair)
        yield measure_in_turn(
            partial(time_calls, ours, setting.device, plan.calls),
            partial(time_calls, theirs, setting.device, plan.calls),
            plan.rounds,
            what=f"{what}, SE-ResNet-50, {setting.describe()}",
            yardstick=f"timm's {RELEASE.name}",
            goal=goal,
            check=check,
        )
