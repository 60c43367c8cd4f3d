"""The processor cores that are this process's (core floor)."""

from __future__ import annotations

import os
import sys


def count_cores() -> int:
    """Return how many cores this process may use: those of a Slurm job or a container, not the machine's."""
    if sys.platform != "linux":
        # Only Linux tells a process which cores are its own.
        return os.cpu_count() or 1
    return len(os.sched_getaffinity(0))


def count_workers(given: int | None, devices: int) -> int:
    """Return how many processes decode pictures for a device, one of `devices` that share the cores of this machine.

    It is the number that was given, 0 for none beside the one that trains; without one the device's share of the cores,
    but at least one process.
    """
    if given is not None:
        return given
    return max(1, count_cores() // devices)
