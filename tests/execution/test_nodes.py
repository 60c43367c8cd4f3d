"""Nodes meet where node 0 calls, and not where an earlier attempt or another job did."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from senet_repro.core.errors import RunFailed
from senet_repro.core.lock import hold_lock
from senet_repro.execution import nodes
from senet_repro.execution.nodes import call, join


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_POLL_S", 0.02)
    monkeypatch.setattr(nodes, "WAIT_S", 0.5)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)


def test_a_node_joins_what_node_0_called(tmp_path: Path) -> None:
    with hold_lock(tmp_path):
        called = call(tmp_path, 2)
        joined = join(tmp_path, 1)
    assert joined is not None
    assert (joined.port, joined.address, joined.node) == (called.port, called.address, 1)


def test_a_meeting_that_was_left_is_not_joined_again(tmp_path: Path) -> None:
    with hold_lock(tmp_path):
        left = call(tmp_path, 2)
        threading.Timer(0.3, call, (tmp_path, 2)).start()
        joined = join(tmp_path, 1, left)
    assert joined is not None
    assert joined.port != left.port


def test_the_meeting_of_another_job_is_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold_lock(tmp_path):
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        theirs = call(tmp_path, 2)
        monkeypatch.setenv("SLURM_JOB_ID", "8")
        threading.Timer(1.0, call, (tmp_path, 2)).start()  # later than a node waits for nobody
        joined = join(tmp_path, 1)
    assert joined is not None
    assert joined.port != theirs.port


def test_what_a_killed_attempt_left_is_no_meeting(tmp_path: Path) -> None:
    call(tmp_path, 2)  # nobody holds the lock
    with pytest.raises(RunFailed, match="node 0 did not begin"):
        join(tmp_path, 1)


def test_a_finished_run_needs_no_meeting(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("{}")
    assert join(tmp_path, 1) is None
