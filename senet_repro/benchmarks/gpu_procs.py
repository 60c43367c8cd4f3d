"""Section procs: the product in 1, 4 and 12 processes side by side on one device (benchmarks floor)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from senet_repro.benchmarks.gpu_env import find_mps_control
from senet_repro.benchmarks.gpu_probe import Findings, Probe
from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.paces import add_last_paces
from senet_repro.benchmarks.processes import read_end, start_process, wait_or_stop

# Twelve runs of an epoch each are 12 s of a GPU at 50,000 images/s.
EPOCHS = 2
# Importing torch twelve times on as many cores, reading CIFAR, and the epochs.
MOST_S = 90.0
LEAST_S = 35.0
MPS_S = 20


class Crowd(NamedTuple):
    """So many processes, each of which trains one seed."""

    processes: int
    uses_graph: bool
    uses_mps: bool = False

    @property
    def name(self) -> str:
        """Return the crowd in words."""
        steps = "graph" if self.uses_graph else "eager"
        mps = ", MPS" if self.uses_mps else ""
        return f"{self.processes} x {steps}{mps}"


CROWDS = (
    Crowd(1, uses_graph=True),
    Crowd(12, uses_graph=True),
    Crowd(12, uses_graph=True, uses_mps=True),
    Crowd(4, uses_graph=True),
    Crowd(1, uses_graph=False),
    Crowd(12, uses_graph=False),
)
QUICK_CROWDS = (Crowd(1, uses_graph=False), Crowd(2, uses_graph=False))


def probe_procs(probe: Probe, findings: Findings) -> None:
    """Let crowds train, and set their images per second together beside those of one process of their kind."""
    paces: dict[Crowd, float] = {}
    for crowd in QUICK_CROWDS if probe.is_quick else CROWDS:
        if probe.left_s < LEAST_S:
            findings.note(crowd.name, "no time was left")
            continue
        if crowd.uses_mps and find_mps_control() is None:
            findings.note(crowd.name, "no MPS on this machine")
            continue
        found = findings.attempt(crowd.name, partial(_train_crowd, probe, crowd))
        if found is None:
            continue
        paces[crowd] = found["images_per_s"]
        alone = paces.get(Crowd(1, crowd.uses_graph))
        if crowd.processes > 1 and alone:
            findings.add_measurements([_set_beside_one(crowd, paces[crowd], alone)])


def _set_beside_one(crowd: Crowd, together: float, alone: float) -> Measurement:
    ratio = together / alone
    return Measurement(
        what=f"training, {crowd.name} processes on one device, bf16",
        yardstick="one process",
        unit="images/s",
        ours=together,
        theirs=alone,
        ratio=ratio,
        lowest=ratio,
        highest=ratio,
        rounds=1,
        goal=2 if crowd.processes == 12 else None,
        is_more_better=True,
    )


def _train_crowd(probe: Probe, crowd: Crowd) -> dict[str, Any]:
    """Return the images per second of all processes together in their last epoch, without and with evaluation.

    Raises:
        RuntimeError: a process failed; the message holds the end of its log.
    """
    folder = probe.folder / crowd.name.replace(" ", "").replace(",", "-")
    folder.mkdir()
    started_s = time.monotonic()
    # A rehearsal takes as long as its machine needs.
    deadline_s = probe.deadline_s if probe.is_quick else min(started_s + MOST_S, probe.deadline_s)
    with ExitStack() as stack:
        environment = {"OMP_NUM_THREADS": "1"}
        if crowd.uses_mps:
            environment |= stack.enter_context(_run_mps(folder))
        started: list[tuple[subprocess.Popen[bytes], Path]] = []
        for seed in range(crowd.processes):
            log = folder / f"seed{seed}.log"
            command = _build_command(probe, crowd, seed, folder / "runs")
            process = stack.enter_context(start_process(command, log, environment))
            started.append((process, log))
        for process, log in started:
            exit_code = wait_or_stop(process, deadline_s)
            if exit_code != 0:
                end = "was too slow" if exit_code is None else f"ended with exit code {exit_code}"
                raise RuntimeError(f"{log.name} {end}: {read_end(log)}")
    paces = add_last_paces(folder / "runs")
    return {
        "images_per_s": round(paces.training),
        "images_per_s_with_evaluation": round(paces.with_evaluation),
        "wall_s": round(time.monotonic() - started_s, 1),
    }


def _build_command(probe: Probe, crowd: Crowd, seed: int, results_dir: Path) -> Sequence[str]:
    settings = probe.list_settings(
        f"recipe.epochs={EPOCHS}",
        "trainer.precision=bf16-mixed",
        f"seed={seed}",
        f"results_dir={results_dir}",
    )
    if crowd.uses_graph:
        settings.append("trainer.graph=true")
    return [sys.executable, "-m", "senet_repro", *settings]


@contextmanager
def _run_mps(folder: Path) -> Iterator[dict[str, str]]:
    """Run MPS, by which processes use a GPU at the same moment; yields what their environment must say."""
    control = find_mps_control()
    assert control is not None
    places = {
        "CUDA_MPS_PIPE_DIRECTORY": str(folder / "mps"),
        "CUDA_MPS_LOG_DIRECTORY": str(folder / "mps-log"),
    }
    for place in places.values():
        Path(place).mkdir()
    environment = {**os.environ, **places}
    subprocess.run([control, "-d"], env=environment, check=True, timeout=MPS_S)
    try:
        yield places
    finally:
        subprocess.run([control], input=b"quit\n", env=environment, check=False, timeout=MPS_S)
