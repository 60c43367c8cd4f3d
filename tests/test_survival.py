"""A sweep killed at any of its writes, and started again, ends with the undisturbed table to the last byte."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.sweeps import SMALL, finish, records, start, table
from tests.commands import wait_for_end

pytestmark = [pytest.mark.slow, pytest.mark.faults]

SWEEP = [
    "-m",
    "+ablation=reduction_ratio",
    "r=2,none",
    "recipe.epochs=2",
    "trainer.checkpoint_s=0",
    *SMALL,
]

# Python runs sitecustomize at its start. A moment is right before something reaches the disk ("fsync") or takes
# its place ("replace"), with the name of the file: WRITES_LOG lists them, at the first DIE_AT the process is killed.
WATCH_WRITES = r"""
import os, re, signal

moment_of_death = os.environ.get("DIE_AT")
log = os.environ.get("WRITES_LOG")

def reach(operation, path):
    # A file is written under a temporary name such as .record.json.123.tmp.
    name = re.sub(r"^\.(.+)\.\d+\.tmp$", r"\1", os.path.basename(path))
    # The plan of a sweep is named by its content, in which the results folder stands.
    name = re.sub(r"^[0-9a-f]{12}\.json$", "plan of the sweep", name)
    # A run takes the first room in the machine's memory that no other run holds, those of other tests among them.
    name = re.sub(r"^memory-the-machine-\d+$", "room in memory", name)
    moment = f"{operation} {name}"
    if log:
        with open(log, "a") as file:
            print(moment, file=file)
    if moment == moment_of_death:
        os.kill(os.getpid(), signal.SIGKILL)

def fsync(descriptor, *, original=os.fsync):
    reach("fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
    return original(descriptor)

def replace(source, target, *, original=os.replace, **options):
    reach("replace", os.fspath(target))
    return original(source, target, **options)

os.fsync, os.replace = fsync, replace
"""

# One of each promise: an epoch's metrics, both checkpoints, and the record that ends a run.
IN_THE_GATE = [
    "fsync metrics.jsonl",
    "replace last.ckpt",
    "replace previous.ckpt",
    "replace record.json",
]


def sweep_and_list_writes(folder: Path, code: Path) -> list[str]:
    """Run the sweep undisturbed and return its moments, each once, in the order in which they come first."""
    log = code / "writes.txt"
    process = start(folder, *SWEEP, PYTHONPATH=str(code), WRITES_LOG=str(log))
    _, errors = wait_for_end(process)
    assert process.returncode == 0, errors
    return list(dict.fromkeys(log.read_text().splitlines()))


def kill_at(moment: str, folder: Path, code: Path) -> bool:
    """Run the sweep and kill it at its next such moment; return whether it came."""
    process = start(folder, *SWEEP, PYTHONPATH=str(code), DIE_AT=moment)
    _, errors = wait_for_end(process)
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode != 0


def check_kills(moments: Sequence[str], whole: Path, hurt: Path, code: Path) -> None:
    """Kill one sweep at a moment after the other, and compare it with the undisturbed one whenever it ends."""
    for moment in moments:
        if not kill_at(moment, hurt, code):
            # Nothing was left to do at which this could happen: it is the turn of a new sweep.
            assert_undisturbed(hurt, whole)
            shutil.rmtree(hurt)
            assert kill_at(moment, hurt, code), moment
    assert finish(hurt, *SWEEP).returncode == 0
    assert_undisturbed(hurt, whole)


def assert_undisturbed(hurt: Path, whole: Path) -> None:
    assert table(hurt) == table(whole)
    assert records(hurt) == records(whole)
    unfinished = [path.name for path in hurt.glob("*/seed*/**/*.tmp")]
    # A run that had its record is not begun again, and so what it was writing then stays.
    assert all(name.startswith(".status.json.") for name in unfinished), unfinished


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The folder of the code that every Python started with it in PYTHONPATH runs first."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WATCH_WRITES)
    return folder


@pytest.mark.gate
def test_a_sweep_killed_before_its_promises_makes_the_undisturbed_table(
    tmp_path: Path, code: Path
) -> None:
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    moments = sweep_and_list_writes(whole, code)
    assert set(IN_THE_GATE) <= set(moments)
    check_kills(IN_THE_GATE, whole, hurt, code)


def test_a_sweep_killed_before_every_kind_of_write_makes_the_undisturbed_table(
    tmp_path: Path, code: Path
) -> None:
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    moments = sweep_and_list_writes(whole, code)
    assert len(moments) > len(IN_THE_GATE)
    check_kills(moments, whole, hurt, code)
