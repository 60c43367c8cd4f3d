"""Which devices a run takes, when others train beside it (training floor).

Jobs on one machine, of one sweep or of several, spread over its GPUs: each takes those that the fewest use. A use is a
locked folder in the machine's folder for temporary files, which the kernel unlocks when the process dies.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from senet_repro.config.schema import Trainer
from senet_repro.core.errors import ConfigError
from senet_repro.core.lock import hold_lock


def uses_gpu(trainer: Trainer) -> bool:
    """Whether a run trains on GPUs: asked to, or where there are any."""
    if trainer.accelerator == "auto":
        return bool(visible_gpus())
    return trainer.accelerator == "gpu"


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES gives them."""
    import torch

    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [
        str(index) if names is None else names.split(",")[index]
        for index in range(torch.cuda.device_count())
    ]


@contextmanager
def reserve_gpus(trainer: Trainer) -> Iterator[list[str]]:
    """Reserve as many GPUs of this node as the run asks for, those that the fewest jobs use; none for a run on the CPU.

    Raises:
        ConfigError: the node has fewer.
    """
    if not uses_gpu(trainer):
        yield []
        return
    names = visible_gpus()
    if trainer.devices > len(names):
        raise ConfigError(
            f"trainer.devices={trainer.devices}: this machine has {len(names)} GPUs; "
            "give as many, or trainer.accelerator=cpu for processes on the CPU"
        )
    with reserve_devices(names, trainer.devices) as reserved:
        yield reserved


@contextmanager
def reserve_devices(names: Sequence[str], wanted: int) -> Iterator[list[str]]:
    """Reserve distinct devices among `names`, those with the fewest reservations on this machine, until the end."""
    folder = Path(tempfile.gettempdir()) / f"senet_repro-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as held:
        reserved: list[str] = []
        # The first use of each device is tried, then the second of each, and so on.
        for use in count():
            for name in names:
                if len(reserved) == wanted:
                    yield reserved
                    return
                if name in reserved:
                    continue
                use_folder = folder / f"gpu-{name.replace('/', '-')}-{use}"
                if held.enter_context(hold_lock(use_folder, wait=False)) is not None:
                    reserved.append(name)
