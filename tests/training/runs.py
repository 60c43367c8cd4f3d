"""Small real runs, and what they left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.results.epochs import read_epochs
from senet_repro.results.run_folder import RunFolder

SMALL = ["recipe.epochs=3", "recipe.batch_size=256", "trainer.accelerator=cpu"]
EACH_EPOCH = "trainer.checkpoint_s=0"  # a checkpoint
STEPS = 1437 // 256  # of an epoch


def small(results_dir: Path, *overrides: str) -> Run:
    return compose([*SMALL, f"results_dir={results_dir}", *overrides])


def silent(_line: str) -> None:
    pass


def weights(run: Run) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(RunFolder.of(run).last_checkpoint)["state_dict"]
    return state


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(
        torch.equal(left[name], right[name]) for name in left
    )


def outcomes(run: Run) -> bytes:
    """The outcomes of the last epoch, which are the same bytes for the same network."""
    return RunFolder.of(run).outcomes_file.read_bytes()


def timeless_epochs(run: Run) -> list[dict[str, Any]]:
    """The metrics of each epoch without those that a clock gives."""
    return [
        {k: v for k, v in epoch.items() if not k.endswith("_s")}
        for epoch in read_epochs(run_dir(run))
    ]
