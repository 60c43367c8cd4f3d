"""Jobs side by side against one after the other, by the commands that a person would give (benchmarks floor)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from senet_repro.benchmarks.measurement import Measurement, measure_in_turn, require_agreement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.benchmarks.paces import add_last_paces
from senet_repro.config.composition import compose
from senet_repro.core.errors import RunFailed
from senet_repro.results.epochs import read_epochs
from senet_repro.training.devices import uses_gpu

COMMAND = (sys.executable, "-m", "senet_repro")
# The demo of the README: runs of a few seconds each, of six rows and three seeds.
SWEEP = ("+ablation=reduction_ratio", "seed=0,1,2")
QUICK_SWEEP = ("r=2,4", "recipe.epochs=1")
MOST_SHARE = 0.6
# How many share a GPU, and how often the images of one in a second they have together at least.
CROWD = 12
LEAST_GAIN = 2.0
CROWD_EPOCHS = 3
# Other kernels may be chosen where others are at work.
LOSS_TOLERANCE = 0.05


def measure_jobs(options: BenchOptions) -> list[Measurement]:
    """Return what jobs side by side gain: two on two cores in time and, where there are a GPU and CIFAR-10, in images.

    Raises:
        RunFailed: a command of the benchmark failed.
        RuntimeError: the table differs.
    """
    measurements = [_measure_two_on_cpu(options)]
    has_gpu = uses_gpu(compose(options.overrides).trainer)
    if has_gpu and options.data_root is not None and not options.is_quick:
        measurements.append(_measure_crowd_on_gpu(options))
    return measurements


def _measure_two_on_cpu(options: BenchOptions) -> Measurement:
    """Time a sweep of small runs in two processes, and in one."""
    points = QUICK_SWEEP if options.is_quick else SWEEP
    sweep = ["-m", *points, *options.overrides, "trainer.accelerator=cpu"]
    side_by_side = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    in_turn = ["hydra/launcher=basic"]
    with tempfile.TemporaryDirectory() as name:
        two, one = Path(name) / "two", Path(name) / "one"
        # Each sweep has a folder of its own: what has its record is not trained again.
        numbers = map(str, count())
        measured = measure_in_turn(
            lambda: _time_sweep([*sweep, *side_by_side], two / next(numbers)),
            lambda: _time_sweep([*sweep, *in_turn], one / next(numbers)),
            rounds=1 if options.is_quick else 2,
            what="sweep of small runs, two side by side on two cores, start included",
            yardstick="one after the other",
            unit="s",
            goal=MOST_SHARE,
        )
        check = _compare_tables([*two.iterdir(), *one.iterdir()])
    return replace(measured, check=check)


def _time_sweep(arguments: Sequence[str], folder: Path) -> float:
    """Return the seconds of a command that trains a sweep, from its start to its end."""
    started_s = time.perf_counter()
    _call([*arguments, f"results_dir={folder}"])
    return time.perf_counter() - started_s


def _call(arguments: Sequence[str]) -> str:
    """Return what a command prints.

    Raises:
        RunFailed: it failed; the message ends with what it said last.
    """
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunFailed(f"a command of the benchmark failed: {done.stderr[-500:].strip()}")
    return done.stdout


def _compare_tables(folders: Sequence[Path]) -> str:
    """Return in words that all folders give the same table.

    Raises:
        RuntimeError: they do not.
    """
    tables = {_call(["table", "--results", str(folder)]) for folder in folders}
    if len(tables) > 1:
        raise RuntimeError(
            "jobs side by side give another table: a fast wrong answer does not count"
        )
    return f"tables of {len(folders)} sweeps equal to the byte"


def _measure_crowd_on_gpu(options: BenchOptions) -> Measurement:
    """Set the images per second of many runs on one GPU beside those of one run alone.

    Raises:
        RuntimeError: the run that both trained has another loss in the crowd.
    """
    base = ["protocol=cifar10", "trainer=gpu", f"recipe.epochs={CROWD_EPOCHS}", *options.overrides]
    base.append(f"data.root={options.data_root}")
    seeds = ",".join(map(str, range(CROWD)))
    launcher = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={CROWD}"]
    with tempfile.TemporaryDirectory() as name:
        alone, crowd = Path(name) / "alone", Path(name) / "crowd"
        _call([*base, "seed=0", f"results_dir={alone}"])
        _call(["-m", *base, f"seed={seeds}", *launcher, f"results_dir={crowd}"])
        (lonely_loss,) = (epochs[-1]["train_loss"] for epochs in _list_epochs(alone, 0))
        (crowded_loss,) = (epochs[-1]["train_loss"] for epochs in _list_epochs(crowd, 0))
        check = require_agreement(
            "training losses of seed 0", abs(lonely_loss - crowded_loss), LOSS_TOLERANCE
        )
        together = add_last_paces(crowd).with_evaluation
        by_itself = add_last_paces(alone).with_evaluation
    return measure_in_turn(
        lambda: together,
        lambda: by_itself,
        rounds=1,
        what=f"training with trainer=gpu, {CROWD} runs side by side on one GPU, evaluation included",
        yardstick="one run alone",
        unit="images/s",
        goal=LEAST_GAIN,
        is_more_better=True,
        check=check,
    )


def _list_epochs(folder: Path, seed: int) -> list[list[dict[str, Any]]]:
    """Return the epochs of each run of a seed in a results folder."""
    return [read_epochs(run_folder) for run_folder in sorted(folder.glob(f"*/seed{seed}"))]
