"""A run from command to record: skipped when finished, resumed when killed, failed with its reason."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from senet_repro.config.identity import run_dir, run_key
from senet_repro.core.errors import ConfigError, DataError, Diverged, RunFailed, TrainedElsewhere
from senet_repro.execution import execute, worker
from senet_repro.execution.execute import train_to_record
from senet_repro.results.epochs import read_epochs
from senet_repro.results.plan import find_plan, plan_run, write_plan
from senet_repro.results.record import RecordError
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.starts import count_starts
from senet_repro.results.store import load_results, read_status
from senet_repro.training import devices
from senet_repro.training.callbacks import EpochLog
from senet_repro.training.task_module import TaskModule
from tests.commands import start, wait_for_end, wait_until
from tests.folders import trained_elsewhere
from tests.training.runs import (
    EACH_EPOCH,
    SMALL,
    outcomes,
    same,
    silent,
    small,
    timeless_epochs,
    weights,
)

pytestmark = [pytest.mark.usefixtures("one_thread")]

FAULT = [pytest.mark.slow, pytest.mark.faults]


def test_a_record_says_what_the_run_was_and_what_came_out(tmp_path: Path) -> None:
    run = small(tmp_path, "+ablation=reduction_ratio", "r=8", "seed=1")
    path, record = train_to_record(run, silent)
    assert path == run_dir(run) / "record.json"
    assert (record.run_key, record.seed, record.epochs, record.eval_images) == (
        run_key(run),
        1,
        3,
        360,
    )
    epochs = read_epochs(path.parent)
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]
    assert record.metrics["top1_err_pct"] == epochs[-1]["top1_err_pct"]
    assert record.metrics["best_top1_err_pct"] == min(epoch["top1_err_pct"] for epoch in epochs)
    assert epochs[0]["train_images"] == 1437 // 256 * 256
    assert epochs[-1]["train_loss"] < epochs[0]["train_loss"]
    assert record.hardware["device"] == "cpu"
    assert record.config["table"] == "reduction_ratio"
    assert read_status(path.parent)["state"] == "done"
    # Nobody had planned it.
    assert record.plan is None


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    run = small(tmp_path, "recipe.epochs=1")
    path, record = train_to_record(run, silent)
    written_at = path.stat().st_mtime_ns
    again, same_record = train_to_record(
        replace(run, logger=replace(run.logger, name="csv")), silent
    )
    assert (again, same_record, again.stat().st_mtime_ns) == (path, record, written_at)
    assert count_starts(path.parent) == 1


KILLED = """
import sys
from senet_repro.config.composition import compose
from senet_repro.execution import execute
from senet_repro.training import callbacks
import torch
torch.set_num_threads(1)
after, when = int(sys.argv[1]), sys.argv[2]
def die(*_):
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
if when == "before its metrics":
    append = callbacks.append_epoch
    callbacks.append_epoch = lambda folder, metrics: die() if metrics["epoch"] == after + 1 else append(folder, metrics)
else:
    told = callbacks.Progress.report_epoch
    callbacks.Progress.report_epoch = lambda self, epoch: die() if epoch["epoch"] == after + 1 else told(self, epoch)
if when == "long after its checkpoint":
    callbacks.SafePoints._is_checkpoint_due = lambda self, trainer: trainer.current_epoch == 0
execute.train_to_record(compose(sys.argv[3:]), print)
"""


@pytest.mark.parametrize(
    ("after", "when"),
    [
        (2, "long after its checkpoint"),
        pytest.param(1, "before its metrics", marks=FAULT),
        pytest.param(0, "before its checkpoint", marks=FAULT),
        pytest.param(1, "before its checkpoint", marks=FAULT),
        pytest.param(0, "before its metrics", marks=FAULT),
        pytest.param(2, "before its metrics", marks=FAULT),
        pytest.param(2, "before its checkpoint", marks=FAULT),
    ],
)
def test_a_run_killed_in_any_epoch_ends_with_the_same_weights_and_epochs(
    tmp_path: Path, after: int, when: str
) -> None:
    whole, cut = (small(tmp_path / name, "seed=5") for name in ("whole", "cut"))
    train_to_record(whole, silent)
    overrides = [*SMALL, EACH_EPOCH, "seed=5", f"results_dir={tmp_path / 'cut'}"]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(after), when, *overrides], check=False
    )
    assert killed.returncode == -9
    assert RunFolder.of(cut).last_checkpoint.exists() == (after > 0)
    train_to_record(cut, silent)
    assert same(weights(whole), weights(cut))
    assert timeless_epochs(whole) == timeless_epochs(cut)
    assert outcomes(whole) == outcomes(cut)
    assert [count_starts(run_dir(run)) for run in (whole, cut)] == [1, 2]


@pytest.mark.slow
@pytest.mark.faults
def test_a_plateau_schedule_resumes_with_its_drop(tmp_path: Path) -> None:
    schedule = [
        "recipe.schedule.kind=plateau",
        "recipe.schedule.patience_epochs=0",
        "recipe.lr=1e-6",
    ]
    overrides = [*schedule, "recipe.epochs=6"]
    whole, cut = (small(tmp_path / name, *overrides) for name in ("whole", "cut"))
    train_to_record(whole, silent)
    rates = [epoch["lr"] for epoch in read_epochs(run_dir(whole))]
    dropped = next(epoch for epoch in range(1, 6) if rates[epoch] < rates[epoch - 1])
    arguments = [*SMALL, EACH_EPOCH, *overrides, f"results_dir={tmp_path / 'cut'}"]
    code = [sys.executable, "-c", KILLED, str(dropped), "before its metrics", *arguments]
    assert subprocess.run(code, check=False).returncode == -9
    train_to_record(cut, silent)
    assert [epoch["lr"] for epoch in read_epochs(run_dir(cut))] == rates
    assert same(weights(whole), weights(cut))


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    run = small(tmp_path)
    checkpoint = RunFolder.of(run).last_checkpoint
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"PK but no more")
    with pytest.raises(
        DataError,
        match=r"last\.ckpt is not a whole checkpoint: delete .*checkpoints to start the run anew",
    ):
        train_to_record(run, silent)


def test_a_recipes_cutout_reaches_the_data(tmp_path: Path) -> None:
    cut, plain = (small(tmp_path, "recipe.epochs=1", f"recipe.cutout_px={px}") for px in (4, 0))
    assert (
        train_to_record(cut, silent)[1].metrics["train_loss"]
        != train_to_record(plain, silent)[1].metrics["train_loss"]
    )


def test_a_broken_record_is_named(tmp_path: Path) -> None:
    run = small(tmp_path)
    path = run_dir(run) / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(RecordError, match="delete it to train the run anew"):
        train_to_record(run, silent)


def test_training_is_told_its_plan_and_the_command_line_that_trains_the_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Sequence[str], Any]] = []

    def fit_nothing(*_: object, overrides: Sequence[str], plan: Any) -> None:
        told.append((overrides, plan))

    monkeypatch.setattr("senet_repro.training.fit.fit", fit_nothing)
    monkeypatch.setattr("senet_repro.execution.worker.fit", fit_nothing)
    run = small(tmp_path)
    write_plan(tmp_path, [plan_run(run, [])])
    plan = find_plan(run)
    with pytest.raises(RecordError):
        train_to_record(run, silent, overrides=["r=16"])
    monkeypatch.setenv("NODE_RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    # As a device's process does, with the settings that were just written.
    assert worker._train_device(run_dir(run), ["r=8"]) == 0
    assert plan is not None
    assert told == [(["r=16"], plan), (["r=8"], plan)]


def test_the_seed_decides_the_weights(tmp_path: Path) -> None:
    runs = [
        small(tmp_path / name, "recipe.epochs=1", f"seed={seed}")
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    for run in runs:
        train_to_record(run, silent)
    first, again, other = map(weights, runs)
    assert same(first, again)
    assert not same(first, other)


def test_a_diverged_run_fails_with_its_epoch(tmp_path: Path) -> None:
    # Steps enough that the first epoch's training overflows, and not its evaluation alone.
    run = small(tmp_path, "recipe.lr=1000", "recipe.batch_size=32")
    with pytest.raises(Diverged, match=r"not finite in epoch 1 of 3; lower recipe\.lr"):
        train_to_record(run, silent)
    status = read_status(run_dir(run))
    assert (status["state"], status["diverged"]) == ("failed", True)
    assert "epoch 1 of 3" in load_results(tmp_path).failures[run_key(run), 0]


@pytest.fixture
def overflow_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the evaluation of one epoch (from 1) overflow, as unbounded gates do under running statistics."""

    def overflow(epoch: int) -> None:
        gather = TaskModule.on_validation_epoch_end

        def end_evaluation(module: TaskModule) -> None:
            gather(module)
            if module.current_epoch + 1 == epoch:
                module.eval_results["loss"] = math.inf

        monkeypatch.setattr(TaskModule, "on_validation_epoch_end", end_evaluation)

    return overflow


def test_an_evaluation_that_overflows_has_no_figures_and_ends_no_training(
    tmp_path: Path, overflow_at: Callable[[int], None]
) -> None:
    run = small(tmp_path, "logger=csv")
    overflow_at(1)
    _, record = train_to_record(run, silent)
    first, *others = read_epochs(run_dir(run))
    assert [first[name] for name in ("loss", "top1_err_pct", "top5_err_pct")] == [None] * 3
    assert math.isfinite(first["train_loss"])
    assert None not in [value for epoch in others for value in epoch.values()]
    assert record.metrics["best_top1_err_pct"] == min(epoch["top1_err_pct"] for epoch in others)
    assert (run_dir(run) / "metrics.csv").read_text().splitlines()[1].count(",,") > 0


@pytest.mark.parametrize(("overrides", "epoch"), [((), 3), (("recipe.schedule.kind=plateau",), 1)])
def test_an_evaluation_that_something_depends_on_must_be_finite(
    overrides: Sequence[str], epoch: int, tmp_path: Path, overflow_at: Callable[[int], None]
) -> None:
    overflow_at(epoch)
    message = f"the loss was not finite in epoch {epoch} of 3"
    with pytest.raises(Diverged, match=message):
        train_to_record(small(tmp_path, *overrides), silent)


def test_more_gpus_than_there_are_is_an_error_that_says_so(tmp_path: Path) -> None:
    gpus = torch.cuda.device_count()
    run = small(tmp_path, "trainer.accelerator=gpu", f"trainer.devices={2 ** gpus.bit_length()}")
    with pytest.raises((ConfigError, RunFailed), match=f"this machine has {gpus} GPUs"):
        train_to_record(run, silent)


def test_a_gpu_that_is_missing_is_told_before_torch_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "list_visible_gpus", list)
    monkeypatch.setattr(execute, "import_module", lambda name: pytest.fail(f"loads {name}"))
    with pytest.raises(ConfigError, match="this machine has 0 GPUs"):
        train_to_record(small(tmp_path, "trainer.accelerator=gpu"), silent)


def test_what_another_process_trains_can_be_left_to_it(tmp_path: Path) -> None:
    run = small(tmp_path)
    with trained_elsewhere(run), pytest.raises(TrainedElsewhere, match="another process trains"):
        train_to_record(run, silent, wait=False)
    assert read_status(run_dir(run)) == {}  # nothing is wrong with it


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.root"):
        train_to_record(
            small(tmp_path, "protocol=cifar10", f"data.root={tmp_path / 'nowhere'}"), silent
        )


def test_a_second_process_waits_and_finds_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small(tmp_path)
    seconds: list[subprocess.Popen[str]] = []
    said = (tmp_path / "said.txt").open("w+")
    log_end = EpochLog.on_train_epoch_end

    def start_second(self: EpochLog, *arguments: object) -> None:
        log_end(self, *arguments)  # type: ignore[arg-type]
        if not seconds:
            seconds.append(start(*SMALL, f"results_dir={tmp_path}", stderr=said))
            wait_until(lambda: "waiting for process" in (tmp_path / "said.txt").read_text())

    monkeypatch.setattr(EpochLog, "on_train_epoch_end", start_second)
    path, _ = train_to_record(run, silent)
    (second,) = seconds
    with said:
        out, _ = wait_for_end(second)
    assert (second.returncode, out.splitlines()[-1]) == (0, str(path))
    assert len(read_epochs(run_dir(run))) == 3


def test_a_checkpoint_loads_without_trusting_it(tmp_path: Path) -> None:
    run = small(tmp_path, "recipe.epochs=1")
    train_to_record(run, silent)
    torch.load(RunFolder.of(run).last_checkpoint, weights_only=True)


def test_status_is_readable_while_a_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, seen = small(tmp_path), []
    log_end = EpochLog.on_train_epoch_end

    def spy(self: EpochLog, *arguments: object) -> None:
        log_end(self, *arguments)  # type: ignore[arg-type]
        seen.append(json.loads((run_dir(run) / "status.json").read_text())["epoch"])

    monkeypatch.setattr(EpochLog, "on_train_epoch_end", spy)
    train_to_record(run, silent)
    assert seen == [1, 2, 3]
