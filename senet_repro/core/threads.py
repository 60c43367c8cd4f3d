"""CPU threads of this process, for a while (core floor)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Let torch use `count` threads, or as many as before if none is given, and restore the number afterwards."""
    # Late: torch takes seconds to import, and this floor is read by commands that need none of it.
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
