"""W&B's process killed, or its server out of reach: a line at the end of the command, no delay, no lost number."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.sweeps import SIDE_BY_SIDE, SMALL, finish, records, start
from tests.conftest import ROOT
from tests.wandb_log import read_log

pytestmark = [pytest.mark.slow, pytest.mark.faults]

SWEEP = ["-m", "+ablation=reduction_ratio", "r=2,4", "recipe.epochs=2", *SMALL]


def test_when_its_process_is_killed_the_sweep_is_whole_and_publish_writes_the_copies(
    tmp_path: Path,
) -> None:
    plain, copied, library = (tmp_path / name for name in ("plain", "copied", "library"))
    library.mkdir()
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    (library / "wandb.py").write_text(killed)
    process = start(copied, *SWEEP, "logger=wandb", PYTHONPATH=f"{library}:{ROOT}")
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 0, messages
    assert messages.count("exit code -9; the records are complete without it") == 1
    assert "Traceback" not in messages
    finish(plain, *SWEEP)
    ours, theirs = records(copied), records(plain)
    for record in (*ours.values(), *theirs.values()):
        record["config"]["logger"] = None
        record["overrides"] = None
    assert ours == theirs
    assert [*copied.rglob("run-*.wandb")] == []

    # The same command with the library itself has nothing to train; publish mends the copies.
    command = f"python -m senet_repro publish --results {copied}"
    assert command in messages
    publish = [sys.executable, "-m", "senet_repro", "publish", "--results", str(copied)]
    subprocess.run(publish, check=True, capture_output=True, cwd=ROOT, timeout=200)
    logs = [*copied.glob("digits-*/seed0/wandb/offline-run-*/*.wandb")]
    assert [read_log(log)["exit_code"] for log in logs] == [0, 0]


def test_a_sweep_asks_no_server(tmp_path: Path) -> None:
    environment = {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}
    process = start(tmp_path, *SWEEP, "logger=wandb", *SIDE_BY_SIDE, **environment)
    _, messages = process.communicate(timeout=200)
    assert process.returncode == 0, messages
    assert "127.0.0.1:9" not in messages
    assert "Traceback" not in messages
    assert len(records(tmp_path)) == 2
    assert len([*tmp_path.glob("digits-*/seed0/wandb/offline-run-*/*.wandb")]) == 2
    command = f"python -m senet_repro publish --results {tmp_path}"
    assert messages.splitlines()[-1] == f"W&B: to send 3 runs and tables: {command}"
