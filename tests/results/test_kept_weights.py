"""The weights of a run: its checkpoint, or what a collected campaign kept of its least seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_repro.config.run_weights import name_kept_weights
from senet_repro.core.errors import ConfigError
from senet_repro.results.campaign import Campaign, PlannedTable, write_campaign
from senet_repro.results.kept_weights import find_weights
from senet_repro.results.run_folder import RunFolder

NAME = "cifar10-x-abababab"


def make_seed(campaign: Path, seed: int) -> RunFolder:
    """What was collected of a seed, and the campaign's plan and weights beside it."""
    folder = RunFolder(campaign / NAME / f"seed{seed}")
    folder.path.mkdir(parents=True)
    folder.write_settings({"seed": seed})
    return folder


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    table = PlannedTable(overrides=[], seeds=[3, 1], grows_from=None, claims=[], runs=[NAME])
    plan = Campaign(
        name="x", written_at="2026-01-31T12:00:00+00:00", commit=None, tables={"squeeze": table}
    )
    write_campaign(tmp_path, plan)
    kept = name_kept_weights(tmp_path, NAME)
    kept.parent.mkdir()
    kept.touch()
    return tmp_path


def test_a_checkpoint_comes_first_and_then_the_kept_weights(campaign: Path) -> None:
    folder = make_seed(campaign, 1)
    assert find_weights(folder) == campaign / "weights" / f"{NAME}.safetensors"
    folder.checkpoints.mkdir()
    folder.last_checkpoint.touch()
    assert find_weights(folder) == folder.last_checkpoint


def test_the_kept_weights_are_of_the_least_planned_seed_alone(campaign: Path) -> None:
    with pytest.raises(ConfigError, match=r"seed3/checkpoints/last.ckpt is not there"):
        find_weights(make_seed(campaign, 3))


@pytest.mark.parametrize("missing", ["plan.yaml", f"weights/{NAME}.safetensors"])
def test_without_a_plan_or_weights_nothing_is_kept(campaign: Path, missing: str) -> None:
    folder = make_seed(campaign, 1)
    (campaign / missing).unlink()
    with pytest.raises(ConfigError, match=r"last\.ckpt is not there: give the folder of a run"):
        find_weights(folder)
