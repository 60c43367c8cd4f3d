"""Sweeps on a real Slurm: a record per job, and the same numbers however often a job was taken from its node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from senet_repro.results.run_folder import RunFolder
from tests.cluster import Cluster, obstacle, two_nodes
from tests.commands import run_warm, start, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.skipif(obstacle() is not None, reason=str(obstacle())),
]

LIMIT_S = 180
SMALL = [
    "recipe.batch_size=256",
    "trainer.accelerator=cpu",
    "trainer.threads=1",
    "trainer.checkpoint_s=0",
    "results_dir=runs",
]
LONG = ["seed=5", "recipe.epochs=24", *SMALL]
CHECKPOINT = "checkpoints/last.ckpt"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The folder of a long run that nothing interrupted, on one or several devices of one machine."""

    @cache
    def train(devices: int) -> Path:
        folder = tmp_path_factory.mktemp("undisturbed")
        done = run_warm(*LONG, f"trainer.devices={devices}", cwd=folder)
        assert done.returncode == 0, done.stderr
        return run_folder(folder)

    return train


@contextmanager
def sweep(cluster: Cluster, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A sweep's process, which waits for its jobs; neither is left afterwards."""
    process = start("-m", "hydra/launcher=slurm", *arguments, cwd=folder, **cluster.environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        cluster.clear()


def on(nodes: int) -> list[str]:
    return [
        f"trainer.nodes={nodes}",
        f"hydra.launcher.partition={'usual' if nodes == 1 else 'both'}",
    ]


def run_folder(folder: Path) -> Path:
    (found,) = folder.glob("runs/digits-*/seed5")
    return found


def epochs(folder: Path) -> list[dict[str, Any]]:
    """The finished epochs of the runs below a folder, without the times they took."""
    lines = [
        json.loads(line)
        for path in folder.rglob("metrics.jsonl")
        for line in path.read_text().splitlines()
    ]
    return [{key: value for key, value in line.items() if not key.endswith("_s")} for line in lines]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / CHECKPOINT, weights_only=True)[
        "state_dict"
    ]
    return found


def test_a_sweep_leaves_a_record_per_job_and_no_file_outside_the_results_folder(
    cluster: Cluster, tmp_path: Path
) -> None:
    with sweep(cluster, tmp_path, "r=2,4", "recipe.epochs=1", *SMALL) as process:
        assert process.wait(LIMIT_S) == 0
    assert len(list(tmp_path.glob("runs/digits-*/seed0/record.json"))) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert len(list(tmp_path.glob("runs/.hydra/slurm/*/*_log.out"))) == 2


def reach_the_time_limit(cluster: Cluster, job: str) -> None:
    """Send what Slurm sends `signal_delay_s` before it."""
    cluster.call("scancel", "--signal=USR2", job)


def preempt(cluster: Cluster, _: str) -> None:
    """Let a job of a better partition ask for the node."""
    cluster.call("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=true")


@pytest.mark.parametrize(
    ("interrupt", "nodes"),
    [pytest.param(reach_the_time_limit, 1, marks=pytest.mark.gate), (preempt, 1), (preempt, 2)],
)
def test_a_job_that_loses_its_node_goes_on_to_the_numbers_of_an_undisturbed_run(
    interrupt: Callable[[Cluster, str], None],
    nodes: int,
    cluster: Cluster,
    undisturbed: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    expected = undisturbed(nodes)
    # Of a job of less than ten minutes, submitit counts every stay as one that ended at the limit.
    with sweep(cluster, tmp_path, *LONG, *on(nodes), "hydra.launcher.timeout_min=9") as process:
        wait_until(lambda: len(epochs(tmp_path)) >= 2, "two epochs", limit_s=120, poll_s=0.1)
        (job,) = cluster.jobs()
        folder = run_folder(tmp_path)
        before = RunFolder(folder).epochs_file.read_text()
        interrupt(cluster, job)
        wait_until(
            lambda: cluster.job(job).get("JobState") == "PENDING",
            "the requeued job",
            limit_s=120,
            poll_s=0.1,
        )
        assert cluster.job(job)["Restarts"] == "1"
        assert len(epochs(folder)) < len(epochs(expected))
        assert (folder / CHECKPOINT).exists()
        cluster.begin_again(job)
        assert process.wait(LIMIT_S) == 0
    assert (
        RunFolder(folder).epochs_file.read_text().startswith(before)
    )  # their times included: they were not run again
    assert epochs(folder) == epochs(expected)
    ours, theirs = weights(folder), weights(expected)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours.keys() | theirs.keys())


@pytest.mark.parametrize("nodes", [1, 2])
def test_a_warning_before_preemption_does_not_end_a_job(
    nodes: int, cluster: Cluster, tmp_path: Path
) -> None:
    """A partition with a grace time warns by SIGTERM, and does not requeue a job that ends by itself meanwhile."""
    with sweep(cluster, tmp_path, *LONG, *on(nodes)):
        wait_until(lambda: epochs(tmp_path) != [], "an epoch", limit_s=120, poll_s=0.1)
        (job,) = cluster.jobs()
        cluster.call("scancel", "--signal=TERM", job)
        done = len(epochs(tmp_path))
        wait_until(lambda: len(epochs(tmp_path)) >= done + 2, "more epochs", limit_s=60, poll_s=0.1)
