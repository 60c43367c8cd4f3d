"""The cost of a run's step beside a bare loop over the same network and batches (training floor)."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from torch.nn import functional as F

from senet_repro.config.schema import Run
from senet_repro.core.choice import require_choice
from senet_repro.core.signals import Deferral
from senet_repro.core.threads import cpu_threads
from senet_repro.data.batches import Normalise, TrainBatches
from senet_repro.data.order import Share, TrainSteps
from senet_repro.data.sets import READERS, load_in_memory
from senet_repro.results.epochs import read_epochs
from senet_repro.training.compilation import compile_network
from senet_repro.training.fit import build_network, fit
from senet_repro.training.schedule import build_optimizer
from senet_repro.training.task import Task


@dataclass(frozen=True)
class StepCost:
    """Milliseconds of a training step, medians over the rounds, and the median ratio of paired rounds."""

    bare_ms: float
    run_ms: float
    ratio: float  # a run's step over a bare one


def measure_step(run: Run, task: Task, rounds: int = 5, epochs: int = 4) -> StepCost:
    """Train a few epochs bare and as a run, in turn; a round's figure is its median epoch after the first."""
    require_choice("data.name", run.data.name, READERS)
    run = replace(
        run,
        recipe=replace(run.recipe, epochs=epochs),
        trainer=replace(run.trainer, accelerator="cpu"),
    )
    bare_ms, run_ms = [], []
    with cpu_threads(run.trainer.threads):
        # In turn, so that a machine that slows down slows both.
        for _ in range(rounds):
            bare_ms.append(_time_bare_step(run))
            run_ms.append(_time_run_step(run, task))
    ratios = [ours / bare for bare, ours in zip(bare_ms, run_ms, strict=True)]
    return StepCost(median(bare_ms), median(run_ms), median(ratios))


def _time_bare_step(run: Run) -> float:
    """Return the milliseconds of a step of the plainest loop that trains the network of a run."""
    device = torch.device("cpu")
    images = load_in_memory(run.data).train
    steps = TrainSteps(len(images), run.recipe.batch_size, run.seed, Share())
    batches = TrainBatches(images, run.data, steps, device, run.recipe.cutout_px)
    normalise = Normalise(run.data.mean, run.data.std)
    net = build_network(run)
    if run.trainer.compile:
        compile_network(net)
    optimizer = build_optimizer(net.parameters(), run.recipe)
    epochs_s = []
    for epoch in range(run.recipe.epochs):
        batches.set_epoch(epoch)
        started_s = time.perf_counter()
        for pixels, labels in batches:
            logits = net(normalise(pixels))
            loss: Tensor = F.cross_entropy(
                logits, labels, label_smoothing=run.recipe.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        epochs_s.append(time.perf_counter() - started_s)
    # The first epoch warms caches up.
    return median(epochs_s[1:]) / len(batches) * 1e3


def _time_run_step(run: Run, task: Task) -> float:
    """Return the milliseconds of a step of the run as this project trains it."""
    with tempfile.TemporaryDirectory() as folder:
        fit(run, task, Path(folder), Deferral())
        epochs = read_epochs(Path(folder))
    steps: int = epochs[0]["train_images"] // run.recipe.batch_size
    train_s: float = median([epoch["train_s"] for epoch in epochs[1:]])
    return train_s / steps * 1e3
