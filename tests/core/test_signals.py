"""A signal ends a run at the end of a step, and the run goes on from there as if nothing had been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run, Trainer
from senet_repro.core.errors import Stopped
from senet_repro.core.signals import Deferral, convert_signals, end_at_signals
from senet_repro.data.order import TrainSteps
from senet_repro.execution.execute import train_to_record
from senet_repro.results.epochs import read_epochs
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status
from senet_repro.training import fit
from senet_repro.training.callbacks import SafePoints
from tests.commands import start as start_cold
from tests.commands import start_warm, wait_for_end, wait_until
from tests.training.runs import SMALL, STEPS, same, silent, small, timeless_epochs, weights

pytestmark = pytest.mark.usefixtures("one_thread")

Delivered = list[int]
SignalAt = Callable[[int, int], None]


@pytest.fixture
def delivered() -> Iterator[Delivered]:
    """The SIGTERMs that reach whoever handled them before a run, and only takes note of them."""
    found: Delivered = []
    before = signal.signal(signal.SIGTERM, lambda signum, _: found.append(signum))
    yield found
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _sighup_is_heard() -> Iterator[None]:
    """Let the commands of a test hear SIGHUP, also where the tests themselves were started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the handlers of this process back after the test."""
    signums = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(signum) for signum in signums]
    yield
    for signum, handler in zip(signums, before, strict=True):
        signal.signal(signum, handler)


@pytest.fixture
def signal_at(monkeypatch: pytest.MonkeyPatch) -> SignalAt:
    """Send this process a signal in the given step, counted from 1 over all epochs of one attempt."""

    def arrange(step: int, signum: int) -> None:
        steps = iter(range(1, 1000))
        end = SafePoints.on_train_batch_end

        def with_signal(self: SafePoints, *arguments: object) -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signum)
            end(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(SafePoints, "on_train_batch_end", with_signal)

    return arrange


def with_dropout(run: Run) -> nn.Module:
    """A network that draws in every step."""
    return nn.Sequential(BUILD(run), nn.Dropout(0.2))


BUILD = fit.build_network
# Further cases of a mechanism that the gate runs one of.
FAULT = [pytest.mark.slow, pytest.mark.faults]


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize(
    ("step", "overrides"),
    [
        pytest.param(1, [], marks=FAULT),
        pytest.param(STEPS + 2, [], marks=FAULT),
        pytest.param(2 * STEPS, [], marks=FAULT),
        pytest.param(2 * STEPS + 3, ["trainer.accumulate=2"], marks=FAULT),
        (STEPS + 2, ["recipe.schedule.kind=plateau", "data.flip=true"]),
    ],
)
def test_a_stopped_run_goes_on_from_the_same_step_to_the_same_weights(
    step: int,
    overrides: list[str],
    tmp_path: Path,
    signal_at: SignalAt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fit, "build_network", with_dropout)
    whole, cut = (small(tmp_path / name, *overrides) for name in ("whole", "cut"))
    train_to_record(whole, silent)
    signal_at(step, signal.SIGTERM)
    with pytest.raises(Stopped) as stopped:
        train_to_record(cut, silent)
    assert stopped.value.exit_code == 143
    assert read_status(run_dir(cut))["state"] == "stopped"
    assert not (run_dir(cut) / "record.json").exists()
    parts = 2 if overrides == ["trainer.accumulate=2"] else 1
    epoch, taken = divmod(-(-step // parts) * parts, STEPS * parts)
    checkpoint = torch.load(RunFolder.of(cut).last_checkpoint)
    assert len(read_epochs(run_dir(cut))) == epoch
    assert ("epoch_so_far" in checkpoint) == (taken > 0)
    train_to_record(cut, silent)
    assert timeless_epochs(cut) == timeless_epochs(whole)
    assert same(weights(cut), weights(whole))


@pytest.mark.usefixtures("ends")
def test_a_batch_that_never_comes_costs_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = (small(tmp_path / name) for name in ("whole", "cut"))
    train_to_record(whole, silent)
    count_taken = TrainSteps.count_taken

    def stick_in_the_third(self: TrainSteps, batches: Iterable[Any]) -> Iterator[Any]:
        def load_batches() -> Iterator[Any]:
            for batch in batches:
                if self.taken == 2 and self.epoch == 1:
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(60)
                yield batch

        return count_taken(self, load_batches())

    monkeypatch.setattr("senet_repro.core.signals.WAIT_S", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(TrainSteps, "count_taken", stick_in_the_third)
        with pytest.raises(Stopped):
            train_to_record(cut, silent)
    assert torch.load(RunFolder.of(cut).last_checkpoint)["epoch_so_far"]
    train_to_record(cut, silent)
    assert timeless_epochs(cut) == timeless_epochs(whole)
    assert same(weights(cut), weights(whole))


def test_a_signal_within_a_wait_that_ends_is_left_to_the_next_safe_point(
    monkeypatch: pytest.MonkeyPatch, delivered: Delivered
) -> None:
    monkeypatch.setattr("senet_repro.core.signals.WAIT_S", 0.05)
    with Deferral() as deferral:
        deferral.begin_wait()
        os.kill(os.getpid(), signal.SIGTERM)
        deferral.end_wait()
        time.sleep(0.1)
        # The next wait is as long as every other.
        deferral.begin_wait()
        deferral.end_wait()
    assert deferral.deliver_signal()
    assert delivered == [signal.SIGTERM]


def test_a_signal_that_is_survived_leaves_a_checkpoint_and_the_run_goes_on(
    tmp_path: Path, delivered: Delivered, signal_at: SignalAt
) -> None:
    whole, warned = (small(tmp_path / name) for name in ("whole", "warned"))
    train_to_record(whole, silent)
    signal_at(STEPS + 2, signal.SIGTERM)
    train_to_record(warned, silent)
    assert delivered == [signal.SIGTERM]
    assert same(weights(warned), weights(whole))


def test_a_run_that_a_signal_meets_in_its_last_step_leaves_its_record(
    tmp_path: Path, delivered: Delivered, signal_at: SignalAt
) -> None:
    run = small(tmp_path)
    signal_at(3 * STEPS, signal.SIGTERM)
    assert train_to_record(run, silent)[1].epochs == 3
    assert delivered == [signal.SIGTERM]


def test_ctrl_c_arrives_as_ctrl_c_after_the_checkpoint(tmp_path: Path, signal_at: SignalAt) -> None:
    run = small(tmp_path)
    signal_at(STEPS + 1, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train_to_record(run, silent)
    assert torch.load(RunFolder.of(run).last_checkpoint)["epoch_so_far"]
    assert read_status(run_dir(run))["state"] == "stopped"


@pytest.mark.usefixtures("ends")
def test_a_signal_that_a_library_would_swallow_while_it_is_imported_still_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def swallowing(_trainer: Trainer) -> Iterator[list[str]]:
        with suppress(BaseException):
            os.kill(os.getpid(), signal.SIGTERM)
        yield []

    monkeypatch.setattr("senet_repro.execution.execute.reserve_gpus", swallowing)
    run = small(tmp_path)
    with pytest.raises(Stopped):
        train_to_record(run, silent)
    assert read_status(run_dir(run))["state"] == "stopped"
    assert not RunFolder.of(run).last_checkpoint.exists()


@pytest.mark.parametrize(("signum", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_command_is_stopped_by_the_end_of_its_terminal_too(
    signum: int, exit_code: int, handlers: None
) -> None:
    convert_signals()
    with Deferral() as deferral:
        os.kill(os.getpid(), signum)
    with pytest.raises(Stopped) as stop:
        deferral.deliver_signal()
    assert stop.value.exit_code == exit_code


def test_what_nohup_started_outlives_its_terminal(handlers: None) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_at_signals()
    convert_signals()
    with Deferral() as deferral:
        os.kill(os.getpid(), signal.SIGHUP)
    assert deferral.signum is None


IMPORTING = """
import os, signal, sys
from senet_repro.core.signals import Deferral, convert_signals, end_at_signals
end_at_signals()
signum, when = int(sys.argv[1]), sys.argv[2]
if when == "before anything":
    os.kill(os.getpid(), signum)
convert_signals()
with Deferral() as deferral, deferral.end_at_once(lambda: print("cleaned up", flush=True)):
    try:
        os.kill(os.getpid(), signum)
    except BaseException:
        print("swallowed")
print("never")
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("when", "printed"), [("before anything", ""), ("in an import", "cleaned up\n")]
)
def test_a_signal_ends_what_is_only_being_imported(signum: int, when: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, str(int(signum)), when],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (128 + signum, printed)
    assert done.stderr == "\nsenet_repro: stopped; the same command goes on from here\n"


def test_a_job_of_a_launcher_is_not_ended_while_it_imports(delivered: Delivered) -> None:
    with Deferral() as deferral, deferral.end_at_once(pytest.fail):
        os.kill(os.getpid(), signal.SIGTERM)
    assert deferral.deliver_signal()
    assert delivered == [signal.SIGTERM]


TWICE = """
import os, signal, sys, time
from senet_repro.core.signals import Deferral
with Deferral():
    os.kill(os.getpid(), signal.SIGINT)
    print("went on", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("never", flush=True)
"""


def test_a_second_ctrl_c_ends_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWICE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "went on\n")
    assert "Ctrl-C again ends at once" in done.stderr
    assert "Traceback" not in done.stderr


def test_children_are_told_once(delivered: Delivered) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with Deferral(lambda: [child.pid]) as deferral:
        os.kill(os.getpid(), signal.SIGTERM)
        assert child.wait(timeout=10) == -signal.SIGTERM
        os.kill(os.getpid(), signal.SIGTERM)
        assert deferral.signum == signal.SIGTERM
    assert delivered == []
    assert deferral.deliver_signal()
    assert delivered == [signal.SIGTERM]


@pytest.mark.parametrize(
    ("signum", "exit_code"),
    [pytest.param(signal.SIGINT, 130, marks=FAULT), (signal.SIGTERM, 143)],
)
@pytest.mark.parametrize("when", ["at its start", "in training"])
def test_a_command_ends_with_the_signals_code_and_no_traceback(
    signum: int, exit_code: int, when: str, tmp_path: Path
) -> None:
    # At its start it is loading torch still, which a warm process has done.
    begin = start_cold if when == "at its start" else start_warm
    process = begin(*SMALL, "recipe.epochs=400", f"results_dir={tmp_path}")
    folder = run_dir(small(tmp_path, "recipe.epochs=400"))
    mark = folder / ("config.yaml" if when == "at its start" else "metrics.jsonl")
    wait_until(lambda: mark.exists() and mark.stat().st_size, str(mark))
    process.send_signal(signum)
    _, said = wait_for_end(process)
    assert process.returncode == exit_code, said
    assert "stopped; the same command goes on from here" in said
    assert "Traceback" not in said
    assert read_status(folder)["state"] == "stopped"
    assert RunFolder(folder).last_checkpoint.exists() == (when == "in training")
