"""What a run was made with: commit, library versions, hardware (training floor)."""

from __future__ import annotations

import platform
import subprocess
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch

from senet_repro.config.schema import Run
from senet_repro.results.record import TRAINER_SETTINGS

_LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "hydra-core", "omegaconf", "numpy")


class Commit(NamedTuple):
    """The checkout that the package runs from; both None for an installed package."""

    commit: str | None
    dirty: bool | None  # a tracked file differs from the commit


@lru_cache(maxsize=1)
def commit() -> Commit:
    """The commit of the checkout around this file, read once: later edits do not reach a process that runs."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return Commit(None, None)
    try:
        revision = _git(root, "rev-parse", "HEAD").strip()
        return Commit(
            revision, bool(_git(root, "status", "--porcelain", "--untracked-files=no").strip())
        )
    except (OSError, subprocess.CalledProcessError):
        return Commit(None, None)


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True
    ).stdout


def versions() -> dict[str, str]:
    """Python's version and those of the libraries that a number can depend on."""
    return {
        "python": platform.python_version(),
        **{library: version(library) for library in _LIBRARIES},
    }


def trainer_settings(run: Run) -> dict[str, Any]:
    """Return the settings of the trainer that can decide a number, as they are in force in this process.

    `threads` are the CPU threads of a process, `tf32` whether float32 products may be rounded to TF32 on a GPU, and
    `deterministic` whether torch was told to use deterministic algorithms alone.
    """
    settings = {name: getattr(run.trainer, name) for name in TRAINER_SETTINGS}
    tf32 = torch.get_float32_matmul_precision() != "highest" or torch.backends.cudnn.allow_tf32
    return {
        **settings,
        "threads": torch.get_num_threads(),
        "tf32": bool(tf32) and torch.cuda.is_available(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def hardware(trainer: pl.Trainer) -> dict[str, Any]:
    """The kind and number of devices, their name, and the CPU threads of a process."""
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": device.type,
        "devices": trainer.world_size,
        "name": name,
        "threads": torch.get_num_threads(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )
