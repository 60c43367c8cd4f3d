"""Find the weights that a collected campaign kept of a run whose checkpoints it left behind (results floor).

FOLDER/<run>/seed<k>/             what was collected of a run
FOLDER/weights/<run>.safetensors  the final weights of its least planned seed, in float16
"""

from __future__ import annotations

from pathlib import Path

from senet_repro.config.weight_files import SAFE
from senet_repro.results.campaign import read_campaign
from senet_repro.results.run_folder import RunFolder

WEIGHTS = "weights"


def name_kept_weights(folder: Path, run_name: str) -> Path:
    """Return the file in a campaign's folder for the weights of a run; `run_name` is that of the run's own folder."""
    return folder / WEIGHTS / f"{run_name}{SAFE}"


def find_weights(folder: RunFolder) -> Path:
    """Return the file of a run's weights: its last checkpoint, or else what a collected campaign kept of it.

    Raises:
        ConfigError: there is neither, or no run.
    """
    if not folder.last_checkpoint.is_file():
        kept = _find_kept(folder)
        if kept is not None:
            return kept
    folder.require_trained()
    return folder.last_checkpoint


def _find_kept(folder: RunFolder) -> Path | None:
    """Return the weights that a campaign kept of this very run; None where it kept none, or those of another seed."""
    campaign_folder = folder.path.resolve().parent.parent
    kept = name_kept_weights(campaign_folder, folder.path.resolve().parent.name)
    if not folder.settings_file.is_file() or not kept.is_file():
        return None
    campaign = read_campaign(campaign_folder)
    if campaign is None:
        return None
    first_seed = min(seed for table in campaign.tables.values() for seed in table.seeds)
    return kept if folder.seed == first_seed else None
