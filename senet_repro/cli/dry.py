"""Print the runs that a command would train, and their cost: `dry=true`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from senet_repro.config.detection import require_first_weights
from senet_repro.config.found_set import check_set
from senet_repro.config.identity import build_identity, hash_identity, run_dir, split_identity
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError, reason_of
from senet_repro.core.loading import loading_for_good
from senet_repro.report.text.markdown import align_columns
from senet_repro.results.first_weights import check_first_weights
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.devices import find_gpus, uses_gpu
from senet_repro.training.speed import (
    count_epoch_steps,
    describe_speed,
    estimate_gpu_hours,
    find_faster_trainer,
)

HEADER = ("run", "seed", "epochs", "images", "GMACs an image", "multiply-adds", "state")
# A training step costs its forward pass, and about twice that backward.
PASSES = 3
# Shorter trainings are tried rather than planned.
LEAST_HOURS = 1
GPUS = 8
_PENDING = ("to train", "to resume")


@dataclass(frozen=True)
class Cost:
    """Images that a run sees, and the multiply-adds of one of them."""

    train_images: int
    eval_images: int
    macs_per_image: int

    @property
    def total_macs(self) -> int:
        """Multiply-adds of the run: forward and backward in training, forward in evaluation."""
        passes = PASSES * self.train_images + self.eval_images
        return passes * self.macs_per_image


def print_dry(runs: Sequence[Run]) -> None:
    """Print what would be trained; the weights that runs start from are looked at first, as training would.

    Raises:
        ConfigError: first weights do not fit their network.
    """
    for run in runs:
        check_weights(run)
    say_obstacles(runs)
    print_plan(runs)
    say_speed(runs)


def estimate_costs(runs: Sequence[Run]) -> list[Cost]:
    """Return the cost of each run on its set as it was found, or else on the whole of it, all epochs together."""
    # Late: only here does a dry run need torch.
    with loading_for_good("torch"):
        from senet_repro.models.cost import count_runs

    costs = []
    for run, (_, macs_per_image) in zip(runs, count_runs(runs), strict=True):
        epochs, batch_size = run.recipe.epochs, run.recipe.batch_size
        seen = run.data.found or run.data
        used_images = count_epoch_steps(run) * batch_size
        costs.append(Cost(epochs * used_images, epochs * seen.eval_images, macs_per_image))
    return costs


def check_weights(run: Run) -> None:
    """Accept a run whose first weights, if they come from a file, fit its network.

    Raises:
        ConfigError: they do not fit.
    """
    # Without torch, as far as files tell.
    check_first_weights(run)
    if run.init.weights is not None:
        from senet_repro.training.fit import build_network

        build_network(run)


def say_obstacles(runs: Sequence[Run]) -> None:
    """Say on standard error what training here would say of first weights, devices and data that are not there."""
    messages: dict[str, None] = {}
    for run in runs:
        for check in (require_first_weights, _check_devices, _check_data):
            try:
                check(run)
            except (ConfigError, OSError) as error:
                messages[reason_of(error)] = None
    for message in messages:
        print(f"senet_repro: it could not be trained yet: {message}", file=sys.stderr)


def _check_devices(run: Run) -> None:
    find_gpus(run.trainer)


def _check_data(run: Run) -> None:
    # What is to be fetched need not be there.
    if not run.data.download:
        check_set(run)


def say_speed(runs: Sequence[Run]) -> None:
    """Print a line for each way in which runs would be trained on this machine, and what a step takes then."""
    lines: dict[str, None] = {}
    for run in _choose_trainers(runs):
        is_on_gpu = uses_gpu(run.trainer)
        for line in (describe_speed(run, is_on_gpu), find_faster_trainer(run, is_on_gpu)):
            if line is not None:
                lines[line] = None
    for line in lines:
        print(line)


def _choose_trainers(runs: Sequence[Run]) -> list[Run]:
    """Return one run for each protocol and trainer: the axes decide nothing about how it is trained."""
    chosen: dict[str, Run] = {}
    for run in runs:
        _, protocol = split_identity(build_identity(run))
        key = hash_identity({**protocol, "se": None, "trainer": asdict(run.trainer)})
        chosen.setdefault(key, run)
    return list(chosen.values())


def print_plan(runs: Sequence[Run]) -> None:
    """Print a line per run, and what is still to be trained in all."""
    lines: list[tuple[str, ...]] = [HEADER]
    pending: list[Cost] = []
    seen: set[Path] = set()
    for run, cost in zip(runs, estimate_costs(runs), strict=True):
        folder = run_dir(run)
        state = "the same as above" if folder in seen else _read_state(folder)
        seen.add(folder)
        if state in _PENDING:
            pending.append(cost)
        lines.append(_make_line(run, cost, state))
    print(align_columns(lines))
    if not pending:
        print(f"\n0 of {len(seen)} runs to train.")
        return
    images = sum(cost.train_images for cost in pending)
    macs = sum(cost.total_macs for cost in pending)
    print(
        f"\n{len(pending)} of {len(seen)} runs to train: {images:,} training images and about {macs:.2e} "
        f"multiply-adds, a training image counted as {PASSES} forward passes and each evaluation as one."
    )
    hours = describe_gpu_hours(macs)
    if hours is not None:
        print(hours)


def describe_gpu_hours(macs: int) -> str | None:
    """Return in a line how long GPUs would take for so many multiply-adds; None where it is minutes."""
    plain = estimate_gpu_hours(macs, "32-true")
    if plain < LEAST_HOURS:
        return None
    mixed = estimate_gpu_hours(macs, "bf16-mixed")
    alone = f"about {plain:,.0f} hours in 32-true and {mixed:,.0f} in bf16-mixed (trainer=gpu)"
    together = f"at best {plain / GPUS:,.0f} and {mixed / GPUS:,.0f}"
    return f"An H100 would take {alone}, {GPUS} of them {together}: computed, not measured, data in time."


def _make_line(run: Run, cost: Cost, state: str) -> tuple[str, ...]:
    """Return the cells of a run, under `HEADER`."""
    return (
        run_dir(run).parent.name,
        str(run.seed),
        str(run.recipe.epochs),
        f"{cost.train_images:,}",
        f"{cost.macs_per_image / 1e9:.4f}",
        f"{cost.total_macs:.2e}",
        state,
    )


def _read_state(folder: Path) -> str:
    if RunFolder(folder).record_file.exists():
        return "done"
    return "to resume" if RunFolder(folder).last_checkpoint.exists() else "to train"
