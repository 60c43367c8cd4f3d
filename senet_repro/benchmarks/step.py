"""A run's training step beside a bare loop over the same network and batches, on the run's device (benchmarks floor).

Both take the same precision, compile or do not, and follow the same learning rates. The bare loop is the plainest one
that a person would write; whatever a run does beside it (metrics, checkpoints, signals, progress) is its overhead.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from senet_repro.benchmarks.measurement import Measurement, measure_in_turn, require_agreement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.config.composition import compose
from senet_repro.config.found_set import check_set
from senet_repro.config.schema import Run
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.signals import Deferral
from senet_repro.data.batches import Normalise, TrainBatches
from senet_repro.data.order import Share, TrainSteps
from senet_repro.data.sets import READERS, load_in_memory
from senet_repro.results.epochs import read_epochs
from senet_repro.tasks import find_task
from senet_repro.training.compilation import compile_network
from senet_repro.training.devices import list_visible_gpus, reserve_gpus, uses_gpu
from senet_repro.training.fit import build_network, fit, prepare_process
from senet_repro.training.schedule import build_optimizer, build_schedule
from senet_repro.training.speed import decide_compile, decide_graph

# At most so many times the bare loop's time: the demo's steps are so short that a host's work shows.
GOAL = 1.03
DEMO_GOAL = 1.05
# How far the losses of the first epoch may lie apart: kernels of a GPU may add in another order, and that alone parts
# the mean losses of an epoch of CIFAR-10 by up to 0.009 (three runs in bf16 whose rates differ by a ten-millionth).
CPU_TOLERANCE = 1e-5
GPU_TOLERANCE = 3e-2

_DEMO = ("protocol=demo",)
# A deeper network on the same few pictures, for a CPU that takes minutes for an epoch of a real set.
_DEEPER = ("protocol=demo", "model=resnet29", "recipe.batch_size=128")


@dataclass(frozen=True)
class _Epochs:
    """Loss and speed of a training of a few epochs."""

    loss: float  # mean over the images of the first epoch
    step_ms: float  # of the median epoch after the first, which warms caches up


def measure_step(options: BenchOptions) -> list[Measurement]:
    """Measure the run of the overrides, or else the demo, a deeper network and, with `data_root`, one on CIFAR-10.

    Raises:
        ConfigError: the run cannot be, or is one of several devices, of parts of a batch or of files in folders.
        RuntimeError: the losses of both ways differ.
    """
    rounds, epochs = (1, 2) if options.is_quick else (5, 4)
    runs = []
    # All of them before the first is measured, which takes minutes: the data of the last may not be there.
    for overrides in _list_runs(options):
        run = compose(overrides)
        _check_run(run)
        if not run.data.download:
            check_set(run)
        runs.append((overrides, run))
    measurements = []
    for overrides, run in runs:
        run = replace(run, recipe=replace(run.recipe, epochs=epochs))
        goal = DEMO_GOAL if tuple(overrides) == _DEMO or not overrides else GOAL
        with reserve_gpus(run.trainer) as gpus:
            visible = list_visible_gpus() if gpus else []
            indices = [visible.index(name) for name in gpus]
            measurements.append(_measure_run(run, indices, rounds, goal))
    return measurements


def _list_runs(options: BenchOptions) -> list[Sequence[str]]:
    """Return the overrides of each run to measure."""
    data = []
    if options.data_root is not None:
        data.append(f"data.root={options.data_root}")
    if options.overrides:
        return [[*options.overrides, *data]]
    runs: list[Sequence[str]] = [_DEMO]
    if not options.is_quick:
        runs.append(_DEEPER)
    if data:
        runs.append(["protocol=cifar10", *data])
    return runs


def _check_run(run: Run) -> None:
    """Refuse a run that the bare loop does not know."""
    require_choice("data.name", run.data.name, READERS)
    trainer = run.trainer
    if trainer.devices * trainer.nodes * trainer.accumulate > 1:
        raise ConfigError(
            "bench step sets a run on one device beside a bare loop: leave trainer.devices, trainer.nodes and "
            "trainer.accumulate out"
        )
    if trainer.precision == "16-mixed":
        raise ConfigError(
            "bench step: the bare loop scales no gradients: give trainer.precision=bf16-mixed or 32-true"
        )


def _measure_run(run: Run, gpus: Sequence[int], rounds: int, goal: float) -> Measurement:
    """Return the measurement of one run, once both ways were found to compute the same."""
    is_on_gpu = uses_gpu(run.trainer)
    device = torch.device("cuda", *gpus[:1]) if is_on_gpu else torch.device("cpu")

    def train_bare() -> _Epochs:
        return _train_bare(run, device)

    def train_run() -> _Epochs:
        return _train_run(run, gpus)

    with prepare_process(run):
        tolerance = GPU_TOLERANCE if is_on_gpu else CPU_TOLERANCE
        difference = abs(train_run().loss - train_bare().loss)
        check = require_agreement("losses of the first epoch", difference, tolerance)
        return measure_in_turn(
            _take_ms(train_run),
            _take_ms(train_bare),
            rounds,
            what=f"training step, {_describe_run(run, is_on_gpu)}",
            yardstick="a bare loop",
            goal=goal,
            check=check,
        )


def _take_ms(train: Callable[[], _Epochs]) -> Callable[[], float]:
    return lambda: train().step_ms


def _describe_run(run: Run, is_on_gpu: bool) -> str:
    words = [run.model.name, run.data.name, f"batch {run.recipe.batch_size}", run.trainer.precision]
    if decide_compile(run, is_on_gpu):
        words.append("compiled")
    if decide_graph(run, is_on_gpu):
        words.append("graph")
    return ", ".join(words)


def _train_bare(run: Run, device: torch.device) -> _Epochs:
    """Train with the plainest loop that trains the network of a run."""
    images = load_in_memory(run.data).train
    steps = TrainSteps(len(images), run.recipe.batch_size, run.seed, Share())
    batches = TrainBatches(images, run.data, steps, device, run.recipe.cutout_px)
    normalise = Normalise(run.data.mean, run.data.std).to(device)
    net = build_network(run).to(device)
    if decide_compile(run, device.type == "cuda"):
        compile_network(net)
    optimizer = build_optimizer(net.parameters(), run.recipe)
    schedule = _build_bare_schedule(run, optimizer, len(batches))
    # Without bf16 it changes nothing.
    autocast = torch.autocast(
        device.type, torch.bfloat16, enabled=run.trainer.precision == "bf16-mixed"
    )
    losses, epochs_s = [], []
    for epoch in range(run.recipe.epochs):
        batches.set_epoch(epoch)
        total = torch.zeros((), device=device)
        started_s = time.perf_counter()
        for pixels, labels in batches:
            with autocast:
                logits = net(normalise(pixels))
                loss = F.cross_entropy(logits, labels, label_smoothing=run.recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += loss.detach()
        losses.append(float(total) / len(batches))
        # Reading the loss waited for the device.
        epochs_s.append(time.perf_counter() - started_s)
    return _Epochs(losses[0], median(epochs_s[1:]) / len(batches) * 1e3)


def _build_bare_schedule(run: Run, optimizer: torch.optim.Optimizer, steps: int) -> LambdaLR:
    """Return the schedule of a run by steps; one at plateaus has no drop in so few epochs."""
    schedule = run.recipe.schedule
    if schedule.kind == "plateau":
        return LambdaLR(optimizer, lambda _: 1.0)
    lr_factor = build_schedule(schedule)
    total = steps * run.recipe.epochs
    return LambdaLR(optimizer, lambda step: lr_factor(step / total))


def _train_run(run: Run, gpus: Sequence[int]) -> _Epochs:
    """Train as this project does, in a folder that is removed again."""
    with tempfile.TemporaryDirectory() as folder:
        fit(run, find_task(run.task), Path(folder), Deferral(), gpus)
        epochs = read_epochs(Path(folder))
    steps: int = epochs[0]["train_images"] // run.recipe.batch_size
    # A run reads the clock once the device has worked through its queue.
    train_s: float = median([epoch["train_s"] for epoch in epochs[1:]])
    return _Epochs(epochs[0]["train_loss"], train_s / steps * 1e3)
