"""A network begins with the weights of its seed, of a release or of a run; a detector's with any number of classes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from senet_repro.config.composition import compose
from senet_repro.config.run_weights import name_kept_weights
from senet_repro.core.errors import ConfigError
from senet_repro.models import create_model, network_of, write_weights
from senet_repro.models.weights import count_outputs
from senet_repro.results.campaign import Campaign, PlannedTable, write_campaign
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.first_weights import build_trunk
from senet_repro.training.trained_network import load_trained_network
from tests.untrained_runs import make_run

DETECTOR = ("protocol=shapes", "+experiment=coco", "model=resnet11", "stages=all", "se.bias=false")


def finish_run(results: Path, *words: str) -> RunFolder:
    folder = RunFolder(make_run(results, *words))
    folder.record_file.touch()
    return folder


def pictures_of(folder: RunFolder) -> list[str]:
    data = folder.read_settings().data
    return [f"data.mean={data.mean}".replace(" ", ""), f"data.std={data.std}".replace(" ", "")]


def test_without_first_weights_the_seed_draws_them() -> None:
    run = compose(["seed=3"])
    torch.manual_seed(3)
    drawn = network_of(run).state_dict()
    found = build_trunk(run).state_dict()
    assert all(found[key].equal(tensor) for key, tensor in drawn.items())


@pytest.mark.parametrize("words", [(), DETECTOR])
def test_a_network_begins_with_the_weights_of_a_run(words: tuple[str, ...], tmp_path: Path) -> None:
    folder = finish_run(tmp_path, "seed=1")
    run = compose([*words, *(pictures_of(folder) if words else ()), f"init.weights={folder.path}"])
    found = build_trunk(run).state_dict()
    trained = load_trained_network(folder.path).state_dict()
    assert found.keys() == trained.keys()
    assert all(found[key].equal(tensor) for key, tensor in trained.items())


def test_what_a_campaign_kept_is_rounded_and_serves_as_well(tmp_path: Path) -> None:
    folder = finish_run(tmp_path)
    name = folder.path.parent.name
    trained = load_trained_network(folder.path).state_dict()
    kept = name_kept_weights(tmp_path, name)
    kept.parent.mkdir()
    halved = {
        key: tensor.half() if tensor.is_floating_point() else tensor
        for key, tensor in trained.items()
    }
    write_weights(kept, halved)
    table = PlannedTable(overrides=[], seeds=[0], grows_from=None, claims=[], runs=[name])
    time = "2026-01-31T12:00:00+00:00"
    write_campaign(
        tmp_path, Campaign(name="x", written_at=time, commit=None, tables={"squeeze": table})
    )
    folder.last_checkpoint.unlink()
    found = build_trunk(compose([f"init.weights={folder.path}"])).state_dict()
    assert all(found[key].equal(tensor.to(found[key].dtype)) for key, tensor in halved.items())


def test_a_damaged_checkpoint_and_another_networks_are_refused(tmp_path: Path) -> None:
    folder = finish_run(tmp_path)
    run = compose([f"init.weights={folder.path}"])
    folder.last_checkpoint.write_bytes(b"cut short")
    with pytest.raises(ConfigError, match="is not a whole checkpoint"):
        build_trunk(run)
    with pytest.raises(ConfigError, match="with r=16, and this run has r=8: give r=16"):
        build_trunk(compose(["r=8", f"init.weights={folder.path}"]))


def test_the_outputs_of_a_release_are_counted_by_the_name_that_its_head_has_there() -> None:
    with torch.device("meta"):
        net = create_model("resnet50", 2)
    assert count_outputs(net, {"module.last_linear.bias": torch.zeros(7)}, "timm") == 7
    assert count_outputs(net, {"fc.bias": torch.zeros(5)}, "torchvision") == 5
    assert count_outputs(net, {"head.fc.bias": torch.zeros(3)}, None) == 3
    assert count_outputs(net, {"fc.bias": torch.zeros(5)}, "timm") is None
