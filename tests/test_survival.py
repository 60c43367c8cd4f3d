"""A sweep killed at any moment, and started again, ends with the undisturbed table to the last byte."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.sweeps import SMALL, finish, records, start, table

SWEEP = ["-m", "+ablation=reduction_ratio", "r=2,16,none", "seed=0,1", "recipe.epochs=4", *SMALL]
KILLS = 20

# Python runs sitecustomize at its start: die before the n-th time that something reaches the disk or takes its place.
DIE_AT_WRITE = """
import os, signal

left = int(os.environ.get("DIE_AT_WRITE", "0"))

def counted(function):
    def call(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

os.fsync, os.replace = counted(os.fsync), counted(os.replace)
"""


@pytest.mark.slow
@pytest.mark.faults
def test_a_sweep_killed_at_twenty_moments_makes_the_undisturbed_table(tmp_path: Path) -> None:
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    done = finish(whole, *SWEEP)
    assert done.returncode == 0, done.stderr
    (tmp_path / "sitecustomize.py").write_text(DIE_AT_WRITE)
    moments = random.Random(5)
    kills = 0
    while kills < KILLS:
        at_write = kills % 2 == 1
        chosen = {"DIE_AT_WRITE": str(moments.randint(1, 60))} if at_write else {}
        process = start(hurt, *SWEEP, PYTHONPATH=str(tmp_path), **chosen)
        try:
            process.communicate(timeout=None if at_write else moments.uniform(0.5, 12))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            _assert_undisturbed(hurt, whole)
            shutil.rmtree(hurt)
    assert finish(hurt, *SWEEP).returncode == 0
    _assert_undisturbed(hurt, whole)


def _assert_undisturbed(hurt: Path, whole: Path) -> None:
    assert table(hurt) == table(whole)
    assert records(hurt) == records(whole)
    left = [path.name for path in hurt.glob("*/seed*/**/*.tmp")]
    assert all(name.startswith(".status.json.") for name in left), (
        left
    )  # of a run that had its record by then
