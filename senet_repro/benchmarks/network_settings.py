"""The settings under which `cost` and `peers` time networks, chosen by the run and its device (benchmarks floor)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.timing import Setting
from senet_repro.config.composition import compose
from senet_repro.config.schema import Run
from senet_repro.core.printing import print_line
from senet_repro.core.threads import cpu_threads
from senet_repro.training.bf16 import has_bf16_kernels
from senet_repro.training.devices import list_visible_gpus, reserve_gpus, uses_gpu
from senet_repro.training.numerics import set_numerics

PRECISIONS = ("32-true", "bf16-mixed")
# The paper's batch; on one core of a CPU a step of so many images takes minutes.
GPU_BATCH = 256
CPU_BATCH = 8
QUICK_BATCH = 2
QUICK_PX = 32
# A network for images larger than 224 pixels shrinks them more, and needs at least so many.
USUAL_PX = 224
LEAST_PX_OF_LARGE = 128


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Holds what is timed: a run's network, on its device, in so many images of so many pixels."""

    run: Run
    device: torch.device
    batch: int
    px: int
    rounds: int
    calls: int  # in each figure

    def choose_setting(
        self, precision: str, *, batch: int | None = None, is_compiled: bool = False
    ) -> Setting:
        """Return a setting of this plan; in batches of its own size unless told otherwise."""
        return Setting(
            device=self.device,
            precision=precision,
            batch=batch or self.batch,
            px=self.px,
            is_compiled=is_compiled,
        )

    @property
    def is_on_gpu(self) -> bool:
        """Return whether a GPU is timed."""
        return self.device.type == "cuda"

    def choose_precisions(self) -> tuple[str, ...]:
        """Return the precisions in the order in which they are timed, and say on stderr what is left out."""
        if self.is_on_gpu:
            # A GPU has its goals in bf16, and takes longest for float32: where its time ends, that is missing.
            return PRECISIONS[::-1]
        if has_bf16_kernels():
            return PRECISIONS
        print_line(
            "senet_repro: bf16 is left out: this CPU has no kernels for it, and torch's own loop, which takes about "
            "ten times as long as float32, says nothing about a network",
            file=sys.stderr,
        )
        return PRECISIONS[:1]


@contextmanager
def take_device(options: BenchOptions) -> Iterator[Plan]:
    """Give what is to be timed by the overrides, on ResNet-50 as in section 4 unless they say otherwise.

    While the context lasts, a GPU is reserved as for a run, float32 is float32, and the CPU has one thread.
    """
    run = _compose_run(options)
    is_on_gpu = uses_gpu(run.trainer)
    with (
        reserve_gpus(run.trainer) as gpus,
        set_numerics(run, is_on_gpu),
        cpu_threads(None if is_on_gpu else 1),
    ):
        device = torch.device("cpu")
        if is_on_gpu:
            device = torch.device("cuda", list_visible_gpus().index(gpus[0]))
        yield _plan_timing(options, run, device)


def _compose_run(options: BenchOptions) -> Run:
    """Return the run of the overrides; one that names no network has that of section 4."""
    overrides = list(options.overrides)
    keys = {word.split("=")[0] for word in overrides}
    if keys.isdisjoint({"protocol", "model"}):
        overrides.insert(0, "protocol=imagenet")
    return compose(overrides)


def _plan_timing(options: BenchOptions, run: Run, device: torch.device) -> Plan:
    is_on_gpu = device.type == "cuda"
    batch = GPU_BATCH if is_on_gpu else CPU_BATCH
    if any(word.startswith("recipe.batch_size=") for word in options.overrides):
        batch = run.recipe.batch_size
    px = run.model.input_px
    if options.is_quick:
        batch, px = min(batch, QUICK_BATCH), shrink_images(run, QUICK_PX)
    return Plan(
        run=run,
        device=device,
        batch=batch,
        px=px,
        rounds=1 if options.is_quick else 7,
        # A GPU's step is short beside what starts and ends a queue.
        calls=10 if is_on_gpu and not options.is_quick else 1,
    )


def shrink_images(run: Run, px: int) -> int:
    """Return the side of small images for a run's network: `px`, unless its own are smaller or it needs larger ones."""
    if run.model.input_px > USUAL_PX:
        px = max(px, LEAST_PX_OF_LARGE)
    return min(px, run.model.input_px)
