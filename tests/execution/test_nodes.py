"""Nodes meet where node 0 calls, and not where an earlier attempt or another job did."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from senet_repro.core.errors import RunFailed
from senet_repro.core.lock import hold_lock
from senet_repro.execution import nodes
from senet_repro.execution.nodes import Meeting, call_meeting, join_meeting
from senet_repro.results.run_folder import RunFolder


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_POLL_S", 0.02)
    monkeypatch.setattr(nodes, "WAIT_S", 0.5)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)


def call_later(wait_s: float, folder: Path, lock: int | None) -> None:
    assert lock is not None
    threading.Timer(wait_s, call_meeting, (folder, 2, lock)).start()


def call_now(folder: Path, lock: int | None) -> Meeting:
    assert lock is not None
    return call_meeting(folder, 2, lock)


def test_a_node_joins_what_node_0_called(tmp_path: Path) -> None:
    with hold_lock(tmp_path) as lock:
        called = call_now(tmp_path, lock)
        joined = join_meeting(tmp_path, 1)
    assert joined is not None
    assert (joined.port, joined.address, joined.node) == (called.port, called.address, 1)


def test_a_meeting_that_was_left_is_not_joined_again(tmp_path: Path) -> None:
    with hold_lock(tmp_path) as lock:
        left = call_now(tmp_path, lock)
        call_later(0.3, tmp_path, lock)
        joined = join_meeting(tmp_path, 1, after=left)
    assert joined is not None
    assert joined.port != left.port


def test_the_meeting_of_another_job_is_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold_lock(tmp_path) as lock:
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        theirs = call_now(tmp_path, lock)
        monkeypatch.setenv("SLURM_JOB_ID", "8")
        call_later(1.0, tmp_path, lock)  # later than a node waits for nobody
        joined = join_meeting(tmp_path, 1)
    assert joined is not None
    assert joined.port != theirs.port


def test_what_a_killed_attempt_left_is_no_meeting(tmp_path: Path) -> None:
    with hold_lock(tmp_path) as lock:
        call_now(tmp_path, lock)
    with pytest.raises(RunFailed, match="node 0 did not begin"):
        join_meeting(tmp_path, 1)


def test_the_meeting_of_a_dead_holder_is_not_joined_under_the_next(tmp_path: Path) -> None:
    with hold_lock(tmp_path) as lock:
        stale = call_now(tmp_path, lock)
        meeting = json.loads(RunFolder(tmp_path).meeting_file.read_text())
        RunFolder(tmp_path).meeting_file.write_text(
            json.dumps({**meeting, "owner": "process 1 on elsewhere"})
        )
        call_later(0.3, tmp_path, lock)
        joined = join_meeting(tmp_path, 1)
    assert joined is not None
    assert joined.port != stale.port


def test_a_finished_run_needs_no_meeting(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("{}")
    assert join_meeting(tmp_path, 1) is None
