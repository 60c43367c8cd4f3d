"""Whether jobs on one GPU work at once or take turns, found out without torch (training floor)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.schema import Run
from senet_repro.core.wording import count_noun

# A folder for each GPU that NVIDIA's driver has found.
DRIVER_GPUS = Path("/proc/driver/nvidia/gpus")
# Where NVIDIA's MPS listens if nothing else is said.
MPS_FOLDER = "/tmp/nvidia-mps"


def describe_time_slices(runs: Sequence[Run], side_by_side: int) -> str | None:
    """Return a line for a sweep whose runs take turns on a GPU; None where each has its own, or MPS shares it out."""
    gpus = count_gpus()
    takes_gpus = any(run.trainer.accelerator != "cpu" for run in runs)
    if not takes_gpus or gpus == 0 or side_by_side <= gpus or is_mps_running():
        return None
    return (
        f"{side_by_side} runs at a time share {count_noun(gpus, 'GPU')} in time slices, each alone at work in its own; "
        "NVIDIA's MPS has them work at once: nvidia-cuda-mps-control -d starts it"
    )


def count_gpus() -> int:
    """Return how many of NVIDIA's GPUs this process may use; 0 where the driver tells of none."""
    found = len(list(DRIVER_GPUS.glob("*")))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return found
    names = [name for name in visible.split(",") if name]
    return min(found, len(names))


def is_mps_running() -> bool:
    """Return whether NVIDIA's MPS has its pipe in the folder where a job would look for it."""
    folder = os.environ.get("CUDA_MPS_PIPE_DIRECTORY", MPS_FOLDER)
    return (Path(folder) / "control").exists()
