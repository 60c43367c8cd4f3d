"""Ask a GPU's driver for the energy of a call (benchmarks floor)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch

from senet_repro.benchmarks.timing import Call

# The driver adds to its counter some ten times a second.
LEAST_S = 2.0
TOLD = "Joules are those of the GPU's total energy counter (NVML), over at least two seconds of steps in each round."
NO_GPU = "Joules are told by the drivers of GPUs alone."
NO_LIBRARY = "Joules are not told: pynvml, which asks the GPU's driver, is not installed."
NO_COUNTER = "Joules are not told: the GPU's driver has no counter of its energy."

ReadJoules = Callable[[], float]


def find_energy_counter(device: torch.device) -> tuple[ReadJoules | None, str]:
    """Return a function that reads the joules that a device has taken so far, and a sentence on them.

    None is returned, with the reason, where nothing tells.
    """
    if device.type != "cuda":
        return None, NO_GPU
    if find_spec("pynvml") is None:
        return None, NO_LIBRARY
    nvml: Any = import_module("pynvml")
    try:
        nvml.nvmlInit()
        # By what the GPU is called everywhere: torch and the driver count GPUs differently.
        uuid = torch.cuda.get_device_properties(device).uuid
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError:
        return None, NO_COUNTER
    # The counter is in thousandths.
    return lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3, TOLD


def measure_joules(
    call: Call, read: ReadJoules, wait: Callable[[], None], clock: Callable[[], float]
) -> float:
    """Return the joules of one call, from as many as take `LEAST_S`; `wait` returns once the device has done them."""
    wait()
    calls = 0
    started_j, started_s = read(), clock()
    while clock() - started_s < LEAST_S:
        call()
        wait()
        calls += 1
    return (read() - started_j) / calls
