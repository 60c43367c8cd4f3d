"""A run on several nodes: the same command on each, which meet through the run's folder (execution floor; no torch).

Node 0 takes the run's lock and writes into meeting.json where its processes listen. The other nodes wait for that file,
or for the record of a run that is finished. So all nodes agree on what is trained without talking to each other before.

meeting.json may be that of a killed attempt, of another job that takes turns on the folder, or of an attempt that this
node has left. So it holds, beside port and address, the job and stay it was written in (`attempt`) and the process that
held the lock then (`owner`): a node joins only if the lock is held by that process now.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.core.files import read_object, write_json
from senet_repro.core.lock import find_holder
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.store import read_status

WAIT_S = 600
_POLL_S = 0.5
_NODE_VARIABLES = ("NODE_RANK", "GROUP_RANK", "SLURM_NODEID")


@dataclass(frozen=True)
class Meeting:
    """Where the processes of a run's devices meet, and which node this is."""

    port: int
    address: str = "127.0.0.1"
    node: int = 0


def read_node_number(nodes: int) -> int:
    """Return which of a run's nodes this process is on, from the environment.

    Raises:
        ConfigError: there are several nodes, and neither Slurm nor NODE_RANK names this one.
    """
    if nodes == 1:
        return 0
    for variable in _NODE_VARIABLES:
        if variable in os.environ:
            return int(os.environ[variable])
    raise ConfigError(
        f"trainer.nodes={nodes}: start the command once on each node, by srun --ntasks-per-node=1 or "
        f"hydra/launcher=slurm, or with NODE_RANK=0 ... {nodes - 1}"
    )


def call_meeting(folder: Path, nodes: int, lock: int) -> Meeting:
    """Choose where to meet, as node 0, and write it down for the other nodes if there are any.

    `lock` is the descriptor of the folder's lock, which this process holds.
    """
    port = find_free_port()
    if nodes == 1:
        return Meeting(port=port)
    # The other nodes read the holder's name over the network: it must be on the disk before the meeting is.
    os.fsync(lock)
    meeting = Meeting(port, os.environ.get("MASTER_ADDR") or socket.gethostname())
    identity = {"attempt": _name_attempt(), "owner": find_holder(folder)}
    write_json(RunFolder(folder).meeting_file, {**asdict(meeting), **identity})
    return meeting


def remove_meeting(folder: Path) -> None:
    """Remove the meeting of an earlier attempt: in a container the next one may have the same process id."""
    RunFolder(folder).meeting_file.unlink(missing_ok=True)


def join_meeting(folder: Path, node: int, after: Meeting | None = None) -> Meeting | None:
    """Return where to meet, as another node than 0; None if the run is finished.

    The meeting `after`, which this node has left, is over: node 0 will call the next.

    Raises:
        RunFailed: node 0 failed before it called, or did not call in time.
    """
    status_before = read_status(folder)
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        if RunFolder(folder).record_file.exists():
            return None
        holder = find_holder(folder)
        if holder is not None:
            # Node 0 is at work, or another job is for as long as it takes.
            deadline_s = time.monotonic() + WAIT_S
            meeting = _read_meeting(folder, holder, node)
            if meeting and not (after and after.port == meeting.port):
                return meeting
        status = read_status(folder)
        # A failure that was there before is that of an earlier attempt.
        if status != status_before and status.get("state") == "failed":
            raise RunFailed(f"node 0 failed: {status.get('reason')}")
        time.sleep(_POLL_S)
    raise RunFailed(
        f"node 0 did not begin {folder} within {WAIT_S} s: start the command on every node"
    )


def _read_meeting(folder: Path, holder: str, node: int) -> Meeting | None:
    """Return the meeting that the lock's present holder has called for this attempt; None if there is none."""
    found = read_object(RunFolder(folder).meeting_file)
    if found.get("owner") != holder or found.get("attempt") != _name_attempt():
        return None
    return Meeting(found["port"], found["address"], node)


def _name_attempt() -> str:
    """Return what the nodes of one stay of a Slurm job have in common; outside Slurm, the same for all."""
    names = ("SLURM_JOB_ID", "SLURM_RESTART_COUNT")
    return ".".join(os.environ.get(name, "") for name in names)


def find_free_port() -> int:
    """Return a port of this machine that nobody listens on at this moment."""
    with socket.socket() as free:
        # Port 0 lets the system choose one that is free.
        free.bind(("", 0))
        port: int = free.getsockname()[1]
        return port
