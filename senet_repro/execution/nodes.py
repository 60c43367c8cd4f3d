"""A run on several nodes: the same command on each, which meet through the run's folder (training floor; no torch).

Node 0 takes the run's lock and says in meeting.json where its processes listen; the others wait for that, or for the
record of a run that is finished. So they agree on what is trained without talking to each other before.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.core.files import write_json
from senet_repro.core.lock import is_locked
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status

WAIT_S = 600
_POLL_S = 0.5


@dataclass(frozen=True)
class Meeting:
    """Where the processes of a run's devices meet, and which node this is."""

    port: int
    address: str = "127.0.0.1"
    node: int = 0


def node_of(nodes: int) -> int:
    """Which of a run's nodes this process is on.

    Raises:
        ConfigError: there are several, and neither Slurm nor NODE_RANK says.
    """
    if nodes == 1:
        return 0
    name = next(
        (name for name in ("NODE_RANK", "GROUP_RANK", "SLURM_NODEID") if name in os.environ), None
    )
    if name is None:
        raise ConfigError(
            f"trainer.nodes={nodes}: start the command once on each node, by srun --ntasks-per-node=1 or "
            f"hydra/launcher=slurm, or with NODE_RANK=0 ... {nodes - 1}"
        )
    return int(os.environ[name])


def call(folder: Path, nodes: int) -> Meeting:
    """As node 0, which holds the lock: choose where to meet, and tell the other nodes if there are any."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    if nodes == 1:
        return Meeting(port=port)
    meeting = Meeting(port, os.environ.get("MASTER_ADDR") or socket.gethostname())
    write_json(RunFolder(folder).meeting_file, {**asdict(meeting), "attempt": _attempt()})
    return meeting


def join(folder: Path, node: int, left: Meeting | None = None) -> Meeting | None:
    """As another node: where to meet, or None if there is nothing to train any more.

    A meeting that this node has `left` is over, and node 0 will call the next.

    Raises:
        RunFailed: node 0 failed before it called, or did not call in time.
    """
    deadline_s = time.monotonic() + WAIT_S
    before, seen = read_status(folder), None
    while time.monotonic() < deadline_s:
        if RunFolder(folder).record_file.exists():
            return None
        found = None
        if is_locked(folder):  # by node 0, or by another job, for as long as it takes
            deadline_s = time.monotonic() + WAIT_S
            found = _read(RunFolder(folder).meeting_file)
        is_ours = (
            found
            and found.get("attempt") == _attempt()
            and not (left and left.port == found["port"])
        )
        # Twice: what a killed attempt left is gone as soon as the next one has the lock.
        if found and found == seen and is_ours:
            return Meeting(found["port"], found["address"], node)
        seen, status = found, read_status(folder)
        if status != before and status.get("state") == "failed":
            raise RunFailed(f"node 0 failed: {status.get('reason')}")
        time.sleep(_POLL_S)
    raise RunFailed(
        f"node 0 did not begin {folder} within {WAIT_S} s: start the command on every node"
    )


def _attempt() -> str:
    """What the nodes of one stay of a Slurm job have in common; elsewhere nothing is known."""
    return ".".join(os.environ.get(name, "") for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT"))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None
