"""A Slurm cluster on loopback, for as long as a test needs it, with everything of it in one folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.commands import wait_until

# More processors than the machine has may be lent out, so that jobs of tests run side by side everywhere.
SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=2
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=8
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=8
PartitionName=usual Nodes=one PriorityTier=1 Default=YES
PartitionName=urgent Nodes=one PriorityTier=2
PartitionName=both Nodes=one,two
"""

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")


def obstacle() -> str | None:
    """Why no cluster can run here, or None."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not installed: slurm-wlm and munge are Debian's packages"
    return None if os.geteuid() == 0 else "Slurm's daemons run as root"


class Cluster:
    """Slurm's commands, spoken to one cluster."""

    def __init__(self, config: Path) -> None:
        self.environment: Mapping[str, str] = {"SLURM_CONF": str(config)}

    def call(self, *command: str) -> str:
        """What a command prints, without the line's end; empty where it fails."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout.strip()

    def jobs(self) -> list[str]:
        """The jobs that wait, run or are being cleared away."""
        return self.call("squeue", "--noheader", "--format=%i").split()

    def job(self, number: str) -> dict[str, str]:
        """What the controller says of a job, by its own words such as JobState."""
        words = self.call("scontrol", "--oneliner", "show", "job", number).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait_for_nodes(self) -> None:
        """Return once both nodes are idle."""
        nodes = ("sinfo", "--noheader", "--partition=both", "--format=%D %T")
        wait_until(lambda: self.call(*nodes) == "2 idle", "the nodes", limit_s=120, poll_s=0.1)

    def begin_again(self, number: str) -> None:
        """Let a requeued job begin once its node has cleared it away, and not in two minutes.

        A node refuses a job for the whole second in which it was told to end it, and the controller gives the job up.
        """
        self.wait_for_nodes()
        self.call("scontrol", "update", f"JobId={number}", "StartTime=now+2")

    def clear(self) -> None:
        """End what waits or runs; a job's processes would outlive the daemons."""
        for options in (["--signal=KILL", "--full"], []):
            self.call("scancel", *options, "--user=root")
        wait_until(lambda: not self.jobs(), "the end of every job", limit_s=120, poll_s=0.1)


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    """A cluster whose two nodes, both of them this machine, are idle.

    Its jobs, daemons and files are gone afterwards, whatever happened.
    """
    # A socket's path is short, which pytest's folders are not.
    with TemporaryDirectory(prefix="slurm-") as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "state").mkdir()
        host = socket.gethostname().partition(".")[0]
        config = folder / "slurm.conf"
        config.write_text(SLURM_CONF.format(folder=folder, host=host, ports=_free_ports(3)))
        cluster = Cluster(config)
        stack.enter_context(_daemon(_munged(folder), cluster))
        wait_until((folder / "munge.socket").exists, "munged", limit_s=30)
        for command in (
            ["slurmctld", "-D", "-c"],
            ["slurmd", "-D", "-N", "one"],
            ["slurmd", "-D", "-N", "two"],
        ):
            stack.enter_context(_daemon(command, cluster))
        cluster.wait_for_nodes()
        stack.callback(cluster.clear)
        yield cluster


def _munged(folder: Path) -> list[str]:
    """The command of the daemon by which Slurm's programs know each other, its key written."""
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    files = {"key-file": key, "socket": folder / "munge.socket"}
    files |= {f"{kind}-file": folder / f"munge.{kind}" for kind in ("pid", "seed")}
    # Without --force it refuses a socket in a folder that only its owner may enter.
    return [
        "munged",
        "--foreground",
        "--force",
        *(f"--{option}={path}" for option, path in files.items()),
    ]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _daemon(command: list[str], cluster: Cluster) -> Iterator[None]:
    """What it says is shown where a test fails."""
    process = subprocess.Popen(
        command, env={**os.environ, **cluster.environment}, start_new_session=True
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
