"""Which devices a run takes, when others train beside it (training floor).

Jobs on one machine, of one sweep or of several, spread over its GPUs: each reserves the GPUs that the fewest others
have reserved. A reservation is a locked folder in the machine's folder for temporary files, which the kernel unlocks
when the process dies.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from senet_repro.config.schema import Trainer
from senet_repro.config.validation import check_cpu_settings
from senet_repro.core.cores import count_cores
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import find_temporary_folder
from senet_repro.core.lock import hold_lock
from senet_repro.core.wording import count_noun
from senet_repro.training.speed import has_cpp_compiler

# A few more processes than cores are slow, but serve to try what several devices do.
MOST_PROCESSES_PER_CORE = 4
_AMD_DRIVER = Path("/dev/kfd")
_NVIDIA_DRIVER = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
NO_COMPILER = (
    "trainer.compile=true needs a C++ compiler, and none is found: install g++ or name one in CXX, "
    "or give trainer.compile=false"
)


def uses_gpu(trainer: Trainer) -> bool:
    """Return whether a run trains on GPUs: where it was asked to, or where there are any."""
    if trainer.accelerator == "auto":
        return bool(list_visible_gpus())
    return trainer.accelerator == "gpu"


def list_visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES gives them."""
    if not _has_gpu_driver():
        return []
    import torch

    indices = range(torch.cuda.device_count())
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        return [str(index) for index in indices]
    return [names.split(",")[index] for index in indices]


def _has_gpu_driver() -> bool:
    """Return whether there is a driver by which torch could see a GPU; importing torch to ask it takes seconds."""
    if _AMD_DRIVER.exists():
        return True
    try:
        ctypes.CDLL(_NVIDIA_DRIVER)
    except OSError:
        return False
    return True


def find_gpus(trainer: Trainer) -> list[str]:
    """Return the GPUs of this node from which a run takes its own, at least as many; none for a run on the CPU.

    Raises:
        ConfigError: there are fewer, or the CPU does not offer what the run asks for.
    """
    if not uses_gpu(trainer):
        check_cpu_settings(trainer)
        _check_cpu_processes(trainer.devices)
        # Where torch would find none, it would say so half a minute later.
        if trainer.compile is True and not has_cpp_compiler():
            raise ConfigError(NO_COMPILER)
        return []
    names = list_visible_gpus()
    if not names:
        raise ConfigError(
            "trainer.accelerator=gpu: this machine has 0 GPUs that this process may use; give trainer.accelerator=cpu, "
            "or trainer=cpu for the fast way of a CPU"
        )
    if trainer.devices > len(names):
        raise ConfigError(
            f"trainer.devices={trainer.devices}: this machine has {len(names)} GPUs; "
            "give as many, or trainer.accelerator=cpu for processes on the CPU"
        )
    return names


@contextmanager
def reserve_gpus(trainer: Trainer) -> Iterator[list[str]]:
    """Hold as many GPUs of this node as the run asks for, those that the fewest jobs use; none for a run on the CPU.

    Raises:
        ConfigError: as `find_gpus`.
    """
    names = find_gpus(trainer)
    if not names:
        yield []
        return
    with reserve_names(names, trainer.devices) as reserved:
        yield reserved


def _check_cpu_processes(wanted: int) -> None:
    """Refuse so many processes that starting them would take minutes, each one importing torch."""
    cores = count_cores()
    most = cores * MOST_PROCESSES_PER_CORE
    if wanted > most:
        raise ConfigError(
            f"trainer.devices={wanted}: without a GPU each is a process, and this machine has "
            f"{count_noun(cores, 'core')}; give {cores} or fewer, or a few more to try (at most {most})"
        )


@contextmanager
def reserve_names(names: Sequence[str], wanted: int) -> Iterator[list[str]]:
    """Hold distinct ones among `names`, those that the fewest jobs of this machine hold, until the context ends."""
    folder = find_temporary_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as held:
        reserved: list[str] = []
        # First the names that nobody holds, then those that one job holds, and so on.
        for holder in count():
            for name in names:
                if len(reserved) == wanted:
                    yield reserved
                    return
                if name in reserved:
                    continue
                reservation = folder / f"gpu-{name.replace('/', '-')}-{holder}"
                if held.enter_context(hold_lock(reservation, wait=False)) is not None:
                    reserved.append(name)
