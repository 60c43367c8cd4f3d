"""A sweep goes on past what fails, says how to repeat it, and its jobs side by side stop and die without harm."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.cli.sweeps import (
    SIDE_BY_SIDE,
    SMALL,
    epochs,
    finish,
    holder,
    records,
    start,
    states,
    table,
    wait_until,
)
from tests.commands import wait_for_end

pytestmark = [pytest.mark.slow, pytest.mark.faults]


def test_the_commands_that_a_sweep_ends_with_repeat_just_what_failed(tmp_path: Path) -> None:
    sweep = [
        "-m",
        "+ablation=reduction_ratio",
        "r=2,4",
        "recipe.lr=0.1,1000",
        "recipe.epochs=1",
        *SMALL,
    ]
    done = finish(tmp_path, *sweep)
    assert done.returncode == 1
    assert "2 runs failed" in done.stderr
    assert len(done.stdout.splitlines()) == 2
    commands = [
        line.strip()
        for line in done.stderr.splitlines()
        if line.startswith("    python -m senet_repro ")
    ]
    assert len(commands) == 2
    for command in commands:
        repeated = finish(tmp_path, *shlex.split(command)[3:])
        assert repeated.returncode == 1
        assert "the loss was not finite in epoch 1 of 1" in repeated.stderr
    again = finish(tmp_path, *sweep)
    assert "2 of 4 runs have their record already" in again.stderr
    assert again.stdout == done.stdout


# Three runs that no test waits for.
ENDLESS = [
    "-m",
    "r=2,4,8",
    "recipe.epochs=300",
    "recipe.batch_size=64",
    "trainer.accelerator=cpu",
]
# Python runs it at the start of each process: it notes those that go on to load torch.
WATCH_TORCH = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            with open(os.environ["LOADS"], "a") as file:
                file.write(f"{os.getpid()}\\n")

sys.meta_path.insert(0, Watch())
"""


def test_jobs_side_by_side_give_the_same_records(tmp_path: Path) -> None:
    sweep = ["-m", "+ablation=reduction_ratio", "r=2,4,8,none", "recipe.epochs=2", *SMALL]
    one, two = tmp_path / "one", tmp_path / "two"
    (tmp_path / "sitecustomize.py").write_text(WATCH_TORCH)
    watched = {"PYTHONPATH": str(tmp_path), "LOADS": str(tmp_path / "loads.txt")}
    first, second = finish(one, *sweep), finish(two, *sweep, *SIDE_BY_SIDE, **watched)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    # Two processes train the four runs, and each loads torch once.
    loads = (tmp_path / "loads.txt").read_text().split()
    assert len(loads) == len(set(loads)) == 2
    assert sorted(second.stdout.replace("/two/", "/one/").splitlines()) == sorted(
        first.stdout.splitlines()
    )
    assert records(two) == records(one)
    assert table(two) == table(one)
    assert "[4/4]" in second.stderr


@pytest.mark.parametrize(
    ("signum", "exit_code", "whole_group"),
    [
        pytest.param(signal.SIGINT, 130, False, id="Ctrl-C to the command"),
        pytest.param(signal.SIGINT, 130, True, id="Ctrl-C to all its processes"),
        pytest.param(signal.SIGTERM, 143, False, id="SIGTERM to the command"),
        pytest.param(signal.SIGTERM, 143, True, id="SIGTERM to all its processes"),
    ],
)
def test_jobs_side_by_side_stop_at_safe_points(
    signum: int, exit_code: int, whole_group: bool, tmp_path: Path
) -> None:
    process = start(tmp_path, *ENDLESS, *SIDE_BY_SIDE)
    wait_until(lambda: len([count for count in epochs(tmp_path) if count]) == 2)
    (os.killpg if whole_group else os.kill)(process.pid, signum)
    _, said = wait_for_end(process)
    assert process.returncode == exit_code, said
    assert "Traceback" not in said
    assert_stopped(tmp_path)


def assert_stopped(results_dir: Path) -> None:
    """Expect two runs that were stopped with a checkpoint; the third did not begin."""
    assert states(results_dir) == ["stopped", "stopped"]
    assert len(list(results_dir.glob("*/seed0/checkpoints/last.ckpt"))) == 2


@pytest.mark.gate
def test_jobs_go_on_after_the_death_of_one_and_stop_at_safe_points(tmp_path: Path) -> None:
    """Both faults in one sweep, since processes side by side load torch anew."""
    process = start(tmp_path, *ENDLESS, *SIDE_BY_SIDE)
    first = halt_first_run(tmp_path)
    second = halt_first_run(tmp_path, beside=first)
    os.kill(first, signal.SIGKILL)
    os.kill(second, signal.SIGCONT)
    begun = [metrics.parent for metrics in tmp_path.glob("*/seed*/metrics.jsonl")]
    wait_until(lambda: not {None, first, second} & {holder(folder) for folder in begun})
    before = epochs(tmp_path)
    wait_until(lambda: all(now > past for now, past in zip(epochs(tmp_path), before, strict=True)))
    process.send_signal(signal.SIGINT)
    _, said = wait_for_end(process)
    assert process.returncode == 130, said
    assert "a job's process died; 3 runs are launched anew" in said
    assert_stopped(tmp_path)


def test_a_job_whose_process_dies_is_launched_again_with_those_beside_it(tmp_path: Path) -> None:
    sweep = ["-m", "r=2,4", "recipe.epochs=6", *SMALL]
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    process = start(hurt, *sweep, *SIDE_BY_SIDE)
    # Each job is halted in its first run, so that none has finished one when the first is killed.
    first = halt_first_run(hurt)
    second = halt_first_run(hurt, beside=first)
    os.kill(first, signal.SIGKILL)
    os.kill(second, signal.SIGCONT)
    _, said = wait_for_end(process)
    assert process.returncode == 0, said
    assert "a job's process died; 2 runs are launched anew" in said
    assert finish(whole, *sweep).returncode == 0
    assert records(hurt) == records(whole)


def test_jobs_side_by_side_stop_once_their_command_was_killed(tmp_path: Path) -> None:
    process = start(tmp_path, *ENDLESS, *SIDE_BY_SIDE)
    wait_until(lambda: len([count for count in epochs(tmp_path) if count]) == 2)
    jobs = [holder(metrics.parent) for metrics in tmp_path.glob("*/seed*/metrics.jsonl")]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not any(Path(f"/proc/{job}").exists() for job in jobs))
    assert_stopped(tmp_path)


def test_a_launcher_that_cannot_is_told_and_not_asked_again(tmp_path: Path) -> None:
    done = finish(
        tmp_path, "-m", "r=2,4", *SMALL, "hydra/launcher=joblib", "hydra.launcher.batch_size=0"
    )
    assert done.returncode == 1
    assert "2 runs failed" in done.stderr
    assert "batch_size" in done.stderr
    assert "launched anew" not in done.stderr


@pytest.mark.gate
def test_two_sweeps_share_the_runs(tmp_path: Path) -> None:
    sweep = ["-m", "+ablation=reduction_ratio", "r=2,4,8,none", "recipe.epochs=4", *SMALL]
    first = start(tmp_path, *sweep)
    halted = halt_first_run(tmp_path)
    # While the first sweep is in its first run, the second has all others to train, and then has to wait.
    with (tmp_path / "second.txt").open("w+") as said_by_second:
        second = start(tmp_path, *sweep, stderr=said_by_second)
        is_waiting = "of the runs: waiting for the first"
        wait_until(lambda: is_waiting in (tmp_path / "second.txt").read_text())
        os.kill(halted, signal.SIGCONT)
        printed = [wait_for_end(process) for process in (first, second)]
    said = [printed[0][1], (tmp_path / "second.txt").read_text()]
    assert [first.returncode, second.returncode] == [0, 0], said
    paths = sorted(str(path) for path in tmp_path.glob("*/seed0/record.json"))
    # Each tells all records, whoever trained them.
    assert [sorted(out.splitlines()) for out, _ in printed] == [paths, paths]
    assert epochs(tmp_path) == [4, 4, 4, 4]
    # The line of a finished run; one of a run under way names its epoch before the error.
    assert [errors.count(" seed 0  top-1 err ") for errors in said] == [1, 3]


def test_a_sweep_takes_over_what_another_that_was_killed_had_under_way(tmp_path: Path) -> None:
    sweep = ["-m", "r=2,4", "recipe.epochs=4", *SMALL]
    first = start(tmp_path, *sweep)
    halt_first_run(tmp_path)
    second = start(tmp_path, *sweep)
    wait_until(lambda: len(epochs(tmp_path)) == 2, "the second sweep to begin the other run")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    _, said = wait_for_end(second)
    assert second.returncode == 0, said
    assert f"process {first.pid} on {os.uname().nodename} died while it worked in" in said
    assert epochs(tmp_path) == [4, 4]


def halt_first_run(results_dir: Path, beside: int | None = None) -> int:
    """Halt the process of a run as soon as it has an epoch, and return its number; not that of `beside`."""
    found: list[int | None] = []

    def has_begun() -> bool:
        for metrics in results_dir.glob("*/seed*/metrics.jsonl"):
            process = holder(metrics.parent)
            if metrics.read_text() and process not in (None, beside):
                found.append(process)
        return bool(found)

    wait_until(has_begun, "the first epoch of a run")
    (process, *_) = found
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    return process
