"""A process of a benchmark is told to end at its deadline, and nothing that it started is left."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from senet_repro.benchmarks.processes import read_end, start_process, wait_or_stop
from tests.commands import wait_until


@pytest.mark.parametrize(
    ("script", "limit_s", "exit_code", "said"),
    [
        ("echo $WORD; exit 3", 60.0, 3, "hello"),
        ("trap 'echo told; exit 0' TERM; echo ready; sleep 60 & wait", 0.2, None, "told"),
    ],
)
def test_a_process_ends_by_itself_or_at_its_deadline(
    script: str, limit_s: float, exit_code: int | None, said: str, tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    with start_process(["sh", "-c", script], log, {"WORD": "hello"}) as process:
        wait_until(lambda: log.read_text() != "")
        assert wait_or_stop(process, time.monotonic() + limit_s) == exit_code
    assert read_end(log).endswith(said)


def test_what_a_process_started_ends_with_the_context(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with start_process(["sh", "-c", "sleep 60 & echo $!; wait"], log):
        wait_until(lambda: log.read_text().endswith("\n"))
    child = int(log.read_text())

    def has_ended() -> bool:
        try:
            # Adopted by the first process of the machine, which may take a moment to bury it.
            return Path(f"/proc/{child}/stat").read_text().split()[2] == "Z"
        except OSError:
            return True

    wait_until(has_ended, "the end of a child")
    assert child != os.getpid()
