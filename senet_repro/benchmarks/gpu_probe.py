"""The setting of the probe's sections, and what they find out (benchmarks floor)."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from senet_repro.benchmarks.measurement import Measurement
from senet_repro.config.composition import compose
from senet_repro.config.schema import Run
from senet_repro.core.errors import reason_of
from senet_repro.core.files import write_text
from senet_repro.core.signals import Deferral
from senet_repro.results.epochs import read_epochs
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks import find_task
from senet_repro.training.checkpoints import read_checkpoint
from senet_repro.training.fit import build_network, fit

# Of an error, as much as tells what it was.
MOST_CHARACTERS = 600


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Holds what every section is given."""

    accelerator: str  # gpu | cpu
    folder: Path  # for the section's runs; removed after it
    deadline_s: float  # of `time.monotonic`, which is the machine's and not a process's
    is_quick: bool = False
    data_root: str | None = None  # of CIFAR-10; None: the embedded digits stand in for it
    overrides: tuple[str, ...] = ()

    @property
    def device(self) -> torch.device:
        """Return the device that is probed."""
        return torch.device("cuda" if self.accelerator == "gpu" else "cpu")

    @property
    def left_s(self) -> float:
        """Return the seconds that this section has left."""
        return self.deadline_s - time.monotonic()

    def list_settings(self, *own: str) -> list[str]:
        """Return the overrides of a run on the device, on CIFAR-10 where it is there; `own` come last."""
        if self.data_root is None or self.is_quick:
            return self.list_small_settings(*own)
        protocol = ["protocol=cifar10", f"data.root={self.data_root}"]
        return [*protocol, f"trainer.accelerator={self.accelerator}", *self.overrides, *own]

    def list_small_settings(self, *own: str) -> list[str]:
        """Return the overrides of a run of few steps, on the embedded digits; `own` come last."""
        # Five steps an epoch: fewer would leave nothing to stop within.
        rehearsal = ["model=resnet11", "recipe.batch_size=256"] if self.is_quick else []
        network = rehearsal or ["model=resnet29"]
        protocol = ["protocol=demo", *network]
        return [*protocol, f"trainer.accelerator={self.accelerator}", *self.overrides, *own]


@dataclass
class Findings:
    """Holds what a section has found out so far, in a file after each finding: it may be ended at its limit."""

    file: Path | None = None  # None: none is written
    facts: dict[str, Any] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    # Why the section is not content: what failed, and what is out of bounds.
    faults: list[str] = field(default_factory=list)

    def note(self, name: str, value: Any) -> None:
        """Keep a fact that JSON can hold."""
        self.facts[name] = value
        self._write()

    def add_measurements(self, measured: Sequence[Measurement]) -> None:
        """Keep what was measured."""
        self.measurements += measured
        self._write()

    def note_fault(self, fault: str) -> None:
        """Keep what is wrong, in words."""
        self.faults.append(fault)
        self._write()

    def attempt(self, name: str, find_out: Callable[[], Any]) -> Any:
        """Keep what a function returns, or why it failed; the next one is tried all the same.

        Returns what the function does, and None where it failed.
        """
        try:
            found = find_out()
        except Exception as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {reason_of(error)}"[:MOST_CHARACTERS]
            self.note_fault(f"{name}: {reason}")
            return None
        self.note(name, found)
        return found

    def collect(self) -> dict[str, Any]:
        """Return all of it as JSON holds it."""
        return {
            "facts": self.facts,
            "measurements": [asdict(measured) for measured in self.measurements],
            "faults": self.faults,
        }

    def _write(self) -> None:
        if self.file is not None:
            # A loss that is no number is a finding, too, and Python reads it back.
            write_text(self.file, json.dumps(self.collect()))


@dataclass(frozen=True)
class Trained:
    """A run that was trained to its end."""

    run: Run
    weights: Tensor  # float64, of all parameters and buffers, on the CPU
    moved: Tensor  # float64, of all parameters: how far each is from its first value
    epochs: list[dict[str, Any]]  # as metrics.jsonl has them
    fit_s: float

    @property
    def step_ms(self) -> float:
        """Return the milliseconds of a training step in the last epoch, its queue emptied."""
        last = self.epochs[-1]
        steps: int = last["train_images"] // self.run.recipe.batch_size
        train_s: float = last["train_s"]
        return train_s / steps * 1e3

    @property
    def loss(self) -> float:
        """Return the mean training loss of the last epoch."""
        return float(self.epochs[-1]["train_loss"])


def train_run(settings: Sequence[str], folder: Path, deferral: Deferral | None = None) -> Trained:
    """Train a run by the product's own `fit`, from the checkpoint in the folder if there is one.

    Raises:
        Stopped: the deferral said so; the folder holds the checkpoint.
        ConfigError: there is no such setting, or it cannot be on this machine.
    """
    run = compose(settings)
    folder.mkdir(parents=True, exist_ok=True)
    started_s = time.perf_counter()
    fit(run, find_task(run.task), folder, deferral or Deferral())
    fit_s = time.perf_counter() - started_s
    state = read_checkpoint(RunFolder(folder).last_checkpoint)["state_dict"]
    weights = torch.cat([values.double().flatten() for values in state.values()])
    return Trained(run, weights, subtract_first_weights(run, state), read_epochs(folder), fit_s)


def subtract_first_weights(run: Run, state: Mapping[str, Tensor]) -> Tensor:
    """Return how far a run's parameters are from their first values in the state of its module, as one vector."""
    moved = []
    for name, first in build_network(run).named_parameters():
        last = state[f"net.{name}"]
        moved.append((last.double() - first.detach().double()).flatten())
    return torch.cat(moved)


def measure_distance(ours: Tensor, theirs: Tensor) -> float:
    """Return how far two vectors are apart, as a share of the second's length."""
    return float((ours - theirs).norm() / theirs.norm())
