"""Find the weights of a run by the names of its files alone, as a run that starts from them is composed (config floor).

Whether they are a finished run's, and of the seed that is asked for, `results/first_weights.py` looks at.
"""

from __future__ import annotations

from pathlib import Path

from senet_repro.config.weight_files import SAFE

KEPT_WEIGHTS = "weights"
"""The folder of the weights that a collected campaign kept, in the campaign's own."""


def name_last_checkpoint(folder: Path) -> Path:
    """Return the file of the last checkpoint in the folder of a run, there or not."""
    return folder / "checkpoints" / "last.ckpt"


def name_kept_weights(folder: Path, run_name: str) -> Path:
    """Return the file in a campaign's folder for the weights of a run; `run_name` is that of the run's own folder."""
    return folder / KEPT_WEIGHTS / f"{run_name}{SAFE}"


def find_run_weights(path: Path) -> Path:
    """Return the file of the weights that a path stands for: of a run's folder its checkpoint, or what was kept of it.

    Any other path stands for itself. The file need not be there.
    """
    if not path.is_dir():
        return path
    checkpoint = name_last_checkpoint(path)
    run = path.resolve().parent
    kept = name_kept_weights(run.parent, run.name)
    if kept.is_file() and not checkpoint.is_file():
        return kept
    return checkpoint
