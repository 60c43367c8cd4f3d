"""Running out of memory, with the way out (training floor)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from senet_repro.config.schema import Run
from senet_repro.core.errors import OutOfMemory


@contextmanager
def explained_memory(run: Run) -> Iterator[None]:
    """Turn what torch and Python raise when memory runs out into one error that says how the run would fit.

    Raises:
        OutOfMemory: it ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        # On the CPU torch raises a plain RuntimeError.
        is_memory = isinstance(
            error, torch.OutOfMemoryError | MemoryError
        ) or "can't allocate memory" in str(error)
        if not is_memory:
            raise
        raise OutOfMemory(f"out of memory with {_mend(run)}") from error


def _mend(run: Run) -> str:
    trainer = run.trainer
    share = run.recipe.batch_size // (trainer.devices * trainer.nodes)
    now = share // trainer.accumulate
    finer = next((n for n in range(trainer.accumulate + 1, share + 1) if share % n == 0), None)
    if finer is None:
        return f"{now} image at a time: give a device with more memory, or a smaller network"
    return f"{now} images at a time on a device: give trainer.accumulate={finer}, the same batch in smaller parts"
