"""W&B out of reach, or its process killed: a line, a short delay, no lost number."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.cli.sweeps import SIDE_BY_SIDE, SMALL, epochs, finish, records, start, wait_until
from tests.commands import wait_for_end
from tests.wandb_log import told

pytestmark = [pytest.mark.slow, pytest.mark.faults]

SWEEP = ["-m", "+ablation=reduction_ratio", "r=2,4", "recipe.epochs=6", *SMALL]


def core_of(process: int) -> int | None:
    """W&B's own process of a process of ours."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if command[0].endswith(b"wandb-core") and any(
            f"port-{process}.txt".encode() in word for word in command
        ):
            return int(path.parent.name)
    return None


@pytest.mark.gate
def test_when_its_process_is_killed_the_run_goes_on_and_the_next_is_copied_again(
    tmp_path: Path,
) -> None:
    plain, copied = tmp_path / "plain", tmp_path / "copied"
    process = start(copied, *SWEEP, "logger=wandb")
    # The run stands still meanwhile, so that the kill meets it in its middle.
    wait_until(lambda: any(epochs(copied)))
    os.kill(process.pid, signal.SIGSTOP)
    core = core_of(process.pid)
    assert core is not None
    os.kill(core, signal.SIGKILL)
    os.kill(process.pid, signal.SIGCONT)
    _, said = wait_for_end(process)
    assert process.returncode == 0, said
    assert said.count("the run goes on, its records are complete without it") == 1
    assert "Traceback" not in said
    finish(plain, *SWEEP)
    ours, theirs = records(copied), records(plain)
    for record in (*ours.values(), *theirs.values()):
        record["config"]["logger"] = None
    assert ours == theirs
    (other,) = (
        path
        for path in copied.glob("digits-*/seed0/wandb/offline-run-*/*.wandb")
        if "-r4-" in str(path)
    )
    assert told(other)["exit_code"] == 0


@pytest.mark.parametrize(
    "launcher", [[], SIDE_BY_SIDE], ids=["one after the other", "side by side"]
)
def test_a_server_out_of_reach_is_asked_once_for_a_sweep(
    launcher: list[str], tmp_path: Path
) -> None:
    environment = {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}
    sweep = ["-m", "r=2,4", "recipe.epochs=1", *SMALL, "logger=wandb", *launcher]
    process = start(tmp_path, *sweep, **environment)
    _, said = wait_for_end(process)
    assert process.returncode == 0, said
    assert said.count("http://127.0.0.1:9: ") == 1
    assert "copying offline" in said
    assert "Traceback" not in said
    assert len(records(tmp_path)) == 2
