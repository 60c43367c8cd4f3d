"""The machine that a benchmark ran on, and what ran there (benchmarks floor)."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import torch

from senet_repro.core.checkout import read_commit
from senet_repro.core.cores import count_cores
from senet_repro.training.surroundings import describe_devices, list_versions


def describe_machine() -> dict[str, Any]:
    """Return the devices by name, the cores that this process may use, versions, commit, time and load.

    `gpu` is None where none is seen. `load` is the number of processes that wanted a core over the last minute, those
    of the benchmark included: above the number of cores, times are those of a busy machine.
    """
    commit = read_commit()
    gpu = None
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_name()
    return {
        "gpu": gpu,
        "processor": describe_devices(torch.device("cpu"), 1)["name"],
        "cores": count_cores(),
        "threads": torch.get_num_threads(),
        "versions": list_versions(),
        "cuda": torch.version.cuda,
        "commit": commit.revision,
        "dirty": commit.dirty,
        "measured_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 1),
    }
