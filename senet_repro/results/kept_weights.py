"""Find the weights that a collected campaign kept of a run whose checkpoints it left behind (results floor).

FOLDER/<run>/seed<k>/             what was collected of a run
FOLDER/weights/<run>.safetensors  the final weights of its least planned seed, in float16
"""

from __future__ import annotations

from pathlib import Path

from senet_repro.config.run_weights import name_kept_weights
from senet_repro.results.campaign import Campaign, read_campaign
from senet_repro.results.run_folder import RunFolder


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
    return kept if folder.seed == find_first_seed(campaign) else None


def find_first_seed(campaign: Campaign) -> int:
    """Return the seed whose weights a campaign keeps: the least that it planned."""
    return min(seed for table in campaign.tables.values() for seed in table.seeds)
