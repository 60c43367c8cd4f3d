"""CPU threads of this process, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Let torch use `count` threads, or as many as before if none is given, and restore the number afterwards."""
    import torch  # late: whatever names no threads need not wait for it

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
