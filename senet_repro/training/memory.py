"""Running out of memory, with the way out (training floor)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from senet_repro.config.schema import Run
from senet_repro.core.errors import OutOfMemory


@contextmanager
def explain_memory(run: Run) -> Iterator[None]:
    """Turn the errors of torch and Python when memory runs out into one that names the setting that would help.

    Raises:
        OutOfMemory: it ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        raise OutOfMemory(f"out of memory with {_describe_mend(run)}") from error


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # On the CPU torch raises a plain RuntimeError.
    return "can't allocate memory" in str(error)


def _describe_mend(run: Run) -> str:
    trainer = run.trainer
    device_images = run.recipe.batch_size // (trainer.devices * trainer.nodes)
    part_images = device_images // trainer.accumulate
    # A graph holds a batch in one part.
    # Where graph is auto, a batch in parts leaves it out by itself.
    beside = "trainer.graph=false and " if trainer.graph is True else ""
    for parts in range(trainer.accumulate + 1, device_images + 1):
        if device_images % parts == 0:
            return (
                f"{part_images} images at a time on a device: give {beside}trainer.accumulate={parts}, "
                "the same batch in smaller parts"
            )
    return f"{part_images} image at a time: give a device with more memory, or a smaller network"
