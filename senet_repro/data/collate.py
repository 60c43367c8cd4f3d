"""Pictures to batches in channels_last memory, each pixel copied once (data floor)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from senet_repro.core.errors import RunFailed


class NoSharedMemory(RunFailed):
    """There is no memory in which a process could hand a batch on."""


def collate_pictures(pictures: Iterable[Tensor], count: int) -> Tensor:
    """Return `count` pictures (3, px, px) uint8 as one batch (count, 3, px, px) in channels_last memory.

    Each is copied to its place as it comes. The batch lies on the pictures' device and, in a process that loads batches
    for another, in memory that both share: sent from elsewhere, it would be copied there first.

    Raises:
        NoSharedMemory: no such memory is left.
    """
    batch: Tensor | None = None
    for place, picture in enumerate(pictures):
        if batch is None:
            batch = _allocate_batch(count, picture)
        batch[place].copy_(picture)
    assert batch is not None, "a batch holds a picture"
    return batch


def _allocate_batch(count: int, picture: Tensor) -> Tensor:
    """Return memory for `count` pictures like one of them, of any content."""
    channels, height, width = picture.shape
    by_pixel = (count, height, width, channels)
    if picture.is_cuda:
        memory = torch.empty(math.prod(by_pixel), dtype=torch.uint8, device=picture.device)
    else:
        memory = allocate_bytes(math.prod(by_pixel))
    return memory.view(by_pixel).permute(0, 3, 1, 2)


def allocate_bytes(count: int) -> Tensor:
    """Return memory (count,) uint8 of any content; in a process that loads batches, memory that others can be given.

    Raises:
        NoSharedMemory: no such memory is left.
    """
    if get_worker_info() is None:
        return torch.empty(count, dtype=torch.uint8)
    try:
        # torch's own way to collate in a worker.
        storage = torch.UntypedStorage._new_shared(count)  # type: ignore[no-untyped-call]
    except (RuntimeError, OSError) as error:
        raise NoSharedMemory(str(error)) from error
    return torch.empty(0, dtype=torch.uint8).set_(storage)
