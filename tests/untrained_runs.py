"""Folders of runs with the weights of their seed, for commands that read networks and train none."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from senet_repro.config.composition import compose
from senet_repro.models import network_of
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.checkpoints import Checkpoints


def make_run(results: Path, *words: str) -> Path:
    """The folder of a run on digits that was never trained, with its settings and a checkpoint."""
    stated = compose(["recipe.batch_size=360", f"results_dir={results}", *words])
    folder = RunFolder.of(stated)
    folder.path.mkdir(parents=True)
    folder.write_settings(asdict(stated))
    torch.manual_seed(stated.seed)
    weights = {f"net.{key}": value for key, value in network_of(stated).state_dict().items()}
    Checkpoints(stated, folder).save_checkpoint({"state_dict": weights}, folder.last_checkpoint)
    return folder.path
