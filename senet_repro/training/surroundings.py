"""The surroundings of a run: library versions, trainer settings, hardware (training floor)."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from senet_repro.config.schema import DETECTION, Run
from senet_repro.data.decode import find_torchcodec
from senet_repro.results.record import TRAINER_SETTINGS
from senet_repro.training.compilation import is_compiled
from senet_repro.training.speed import decide_graph

_LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "hydra-core", "omegaconf", "numpy")


def list_versions(task: str | None = None) -> dict[str, str]:
    """Return Python's version and those of the libraries that a number can depend on; of a task, its own ones too."""
    libraries = {library: _find_version(library) for library in _LIBRARIES}
    # Where it is here, pictures are decoded by it.
    if find_torchcodec() is not None:
        libraries["torchcodec"] = _find_version("torchcodec")
    # Average precision is counted by it.
    if task == DETECTION:
        libraries["faster-coco-eval"] = _find_version("faster-coco-eval")
    return {"python": platform.python_version(), **libraries}


@cache
def _find_version(library: str) -> str:
    # Kept, since each is looked for in the text of a whole description.
    return version(library)


def trainer_settings(run: Run, trainer: pl.Trainer) -> dict[str, Any]:
    """Return the settings of the trainer that can decide a number, as they are in force in this process.

    `threads` are the CPU threads of a process, `tf32` whether float32 products may be rounded to TF32 on the run's GPU,
    and `deterministic` whether torch may use deterministic algorithms alone.
    """
    settings = {name: getattr(run.trainer, name) for name in TRAINER_SETTINGS}
    is_on_gpu = trainer.strategy.root_device.type == "cuda"
    return {
        **settings,
        "accumulate": trainer.accumulate_grad_batches,
        "precision": str(trainer.precision),
        # What auto came to. A CPU takes the same step, but has no graphs.
        "graph": is_on_gpu and decide_graph(run, is_on_gpu),
        # A single device has nobody to share its statistics with.
        "sync_bn": run.trainer.sync_bn and trainer.world_size > 1,
        # What auto came to, or false where torch could not.
        "compile": is_compiled(trainer),
        "threads": torch.get_num_threads(),
        "tf32": is_on_gpu and _allows_tf32(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _allows_tf32() -> bool:
    # Matrix products and convolutions have a switch each, and convolutions may use TF32 unless told otherwise.
    allows_products = torch.get_float32_matmul_precision() != "highest"
    return allows_products or bool(torch.backends.cudnn.allow_tf32)


def describe_hardware(trainer: pl.Trainer) -> dict[str, Any]:
    """Return the kind and number of devices, their name, and the CPU threads of a process."""
    return describe_devices(trainer.strategy.root_device, trainer.world_size)


def describe_devices(device: torch.device, devices: int) -> dict[str, Any]:
    """Return the same of so many devices like one of them."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _name_processor()
    return {
        "device": device.type,
        "devices": devices,
        "name": name,
        "threads": torch.get_num_threads(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _name_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    # Only Linux keeps this file.
    except OSError:
        return platform.processor()
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
