"""The memory that a training takes: a GPU's, or the machine's own (training floor)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import torch

MEMINFO = Path("/proc/meminfo")
OWN_PAGES = Path("/proc/self/statm")
# Of this process's control group, where it has one of its own, as in a container.
GROUP = Path("/sys/fs/cgroup")


class DeviceMemory(Protocol):
    """The memory of a device, in bytes."""

    name: str

    def count_free(self) -> int | None:
        """Return how much a process could take now; None where nothing tells."""

    def count_own(self) -> int:
        """Return how much this process has taken."""

    def give_back(self) -> None:
        """Give back what this process keeps for its next training."""


class GpuMemory:
    """The memory of a GPU that this process trains on."""

    def __init__(self, name: str, index: int) -> None:
        """Take a GPU by its name on this machine, and its index among those that this process sees."""
        self.name = f"GPU {name}"
        self._index = index

    def count_free(self) -> int | None:
        """Return what the GPU has free beside this process's context, which begins here if it has not yet."""
        free, _ = torch.cuda.mem_get_info(self._index)
        return free

    def count_own(self) -> int:
        """Return what torch's allocator holds; it asks the allocator alone, and not the GPU."""
        return torch.cuda.memory_reserved(self._index)

    def give_back(self) -> None:
        """Give back what torch's allocator holds without using it."""
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            torch.cuda.empty_cache()


class MachineMemory:
    """The machine's own memory, for a training on the CPU."""

    name = "the machine"

    def count_free(self) -> int | None:
        """Return what the system can give, or the container's limit allows if that is less."""
        free = _read_available()
        limit = _read_group_rest()
        if free is None or limit is None:
            return free
        return min(free, limit)

    def count_own(self) -> int:
        """Return what this process has in memory; 0 where nothing tells."""
        try:
            pages = int(OWN_PAGES.read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def give_back(self) -> None:
        """Do nothing: freed memory goes back to the system by itself."""


def _read_available() -> int | None:
    """Return what the system says is available; None where it does not say, as on other systems than Linux."""
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _read_group_rest() -> int | None:
    """Return what the limit of the control group leaves; None where there is no limit."""
    try:
        limit = (GROUP / "memory.max").read_text().strip()
        used = int((GROUP / "memory.current").read_text())
        statistics = (GROUP / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    counts = dict(line.split() for line in statistics)
    # Copies of files that the system drops as soon as memory is needed.
    droppable = int(counts.get("inactive_file", 0))
    return int(limit) - used + droppable
