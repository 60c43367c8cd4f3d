"""The facts that everything which is found about given weights keeps: whose they are, and how it was found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from senet_repro.config.identity import build_identity
from senet_repro.core.checkout import read_commit
from senet_repro.execution.target import Target
from senet_repro.training.devices import uses_gpu

if TYPE_CHECKING:
    import torch

    from senet_repro.tasks.classification.evaluation import EvalImages


def describe_finding(target: Target, device: torch.device) -> dict[str, Any]:
    """Return the fields that every finding has: network, weights and run, and commit, versions, hardware and time."""
    from senet_repro.training.surroundings import describe_devices, list_versions

    commit = read_commit()
    return {
        "network": target.run.model.name,
        "se": build_identity(target.run)["se"],
        "weights": target.weights,
        "run": target.trained_by,
        "commit": commit.revision,
        "dirty": commit.dirty,
        "versions": list_versions(),
        "hardware": describe_devices(device, target.run.trainer.devices),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def describe_data(target: Target, images: EvalImages) -> dict[str, Any]:
    """Return which images were looked at."""
    data = target.run.data
    return {
        "name": data.name,
        "title": data.title,
        "whole_images": data.eval_images,
        "fingerprint": images.fingerprint,
        "skipped": [*images.images.skipped],
    }


def describe_trainer(target: Target) -> dict[str, Any]:
    """Return how the network is computed."""
    trainer = target.run.trainer
    described = {
        "precision": trainer.precision,
        "channels_last": trainer.channels_last,
        "batch_size": target.run.recipe.batch_size,
        "devices": trainer.devices,
    }
    # Left out elsewhere: passes that were made before there was a choice keep their keys.
    if trainer.tf32 and uses_gpu(trainer):
        described["tf32"] = True
    return described
