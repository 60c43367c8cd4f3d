"""trainer.graph: the static step trains as the step that is not, recorded or not, and their runs go on as each other's."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from senet_repro.config.composition import compose
from senet_repro.config.schema import Run
from senet_repro.core.errors import RunFailed, Stopped
from senet_repro.execution.execute import train_to_record
from senet_repro.results.run_folder import RunFolder
from senet_repro.training import fit, graph
from senet_repro.training.callbacks import SafePoints
from senet_repro.training.graph import GraphedStep, GraphStrategy, StaticStep
from senet_repro.training.schedule import build_optimizer
from tests.training.runs import STEPS, outcomes, same, silent, small, timeless_epochs, weights

pytestmark = pytest.mark.usefixtures("one_thread")

# What a step has to leave behind whatever it is made of: draws, statistics and sums.
HARD = ["recipe.epochs=2", "recipe.nesterov=true", "recipe.cutout_px=3", "data.flip=true"]
PLATEAU = ["recipe.schedule.kind=plateau", "recipe.schedule.patience_epochs=0"]


def build_tiny(_run: Run) -> nn.Module:
    """A network that draws in every step and counts its batches."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(72, 10),
    )


@pytest.fixture(autouse=True)
def _networks_are_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "build_network", build_tiny)


@contextmanager
def stopping_at(step: int) -> Iterator[None]:
    """Send this process SIGTERM in a step, counted from 1 over all epochs, and expect the run to end with it."""
    steps = iter(range(1, 1000))
    end = SafePoints.on_train_batch_end

    def with_signal(self: SafePoints, *arguments: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGTERM)
        end(self, *arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SafePoints, "on_train_batch_end", with_signal)
        with pytest.raises(Stopped):
            yield


def train(folder: Path, *overrides: str, graphs: str = "t", stop_at: int = STEPS + 2) -> Run:
    """Train a run; the letters of `graphs` say of each attempt whether it has a graph: true or false."""
    for letter in graphs[:-1]:
        with stopping_at(stop_at):
            train_to_record(choose(folder, letter, *overrides), silent)
    run = choose(folder, graphs[-1], *overrides)
    train_to_record(run, silent)
    return run


def choose(folder: Path, letter: str, *overrides: str) -> Run:
    has_graph = "true" if letter == "t" else "false"
    return small(folder, f"trainer.graph={has_graph}", *overrides)


def list_leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a checkpoint, with its place there; the clock's part is left out."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key != "so_far_s":
                yield from list_leaves(part, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from list_leaves(part, f"{place}.{index}")
    else:
        yield place, value.tolist() if isinstance(value, Tensor) else value


def read_leaves(run: Run) -> dict[str, Any]:
    return dict(list_leaves(torch.load(RunFolder.of(run).last_checkpoint)))


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize("overrides", [HARD, [*HARD, *PLATEAU, "trainer.precision=bf16-mixed"]])
def test_a_static_step_trains_and_resumes_as_the_step_that_is_not(
    overrides: list[str], tmp_path: Path
) -> None:
    eager = train(tmp_path / "eager", *overrides, graphs="f")
    for graphs in ("t", "tt", "tf", "ft"):
        static = train(tmp_path / graphs, *overrides, graphs=graphs)
        assert same(weights(eager), weights(static))
        assert timeless_epochs(eager) == timeless_epochs(static)
        assert outcomes(eager) == outcomes(static)
        # Whatever Lightning counts and the optimizer keeps, too.
        assert read_leaves(eager) == read_leaves(static)
