"""How long commands keep a processor, which a busy machine lengthens less than the time on the wall."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT

_ROUNDS = 5


def python_s(code: str, *arguments: str, cwd: Path = ROOT) -> tuple[float, str]:
    """The processor's seconds of a Python program that must succeed, and what it printed."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    after = os.times()
    assert done.returncode == 0, done.stderr
    taken_s = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return taken_s, done.stdout


def is_within(
    limit_s: float, command_s: Callable[[], float], yardstick_s: Callable[[], float], times: float
) -> bool:
    """Whether a command takes less than the limit at its best; on a slower machine, so many times the yardstick."""
    return any(command_s() < max(limit_s, times * yardstick_s()) for _ in range(_ROUNDS))


def starts_quickly(code: str, *arguments: str, cwd: Path = ROOT) -> bool:
    """Whether a command answers within a second: 0.8 s on one core of an AMD EPYC, which imports Hydra in 0.22 s."""
    return is_within(
        1,
        lambda: python_s(code, *arguments, cwd=cwd)[0],
        lambda: python_s("import hydra")[0],
        times=4.5,
    )
