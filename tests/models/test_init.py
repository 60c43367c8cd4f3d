"""Initial weights: He's variance, and equality wherever two networks share a layer."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from senet_repro.models import create_model
from senet_repro.models.init import initialise_weights


def weights(seed: int = 0, **axes: object) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return create_model("resnet11", 10, **axes).state_dict()


VARIANTS = [
    {"r": None},
    {"r": 2},
    {"squeeze": "none"},
    {"excitation": "relu"},
    {"stages": [3]},
    {"placement": "pre"},
    {"placement": "conv3x3"},
    {"bias": True},
    {"stride_on": "conv3x3"},
]


@pytest.mark.parametrize("axes", VARIANTS, ids=str)
def test_variants_of_one_seed_agree_outside_the_blocks(axes: dict[str, object]) -> None:
    one, other = weights(), weights(**axes)
    shared = [key for key in one if ".fc1." not in key and ".fc2." not in key]
    assert len(shared) == 80
    assert all(one[key].equal(other[key]) for key in shared)


@pytest.mark.parametrize("squeeze", ["avg", "none"])
def test_linear_and_conv_blocks_start_equal(squeeze: str) -> None:
    linear, conv = weights(squeeze=squeeze, fc="linear"), weights(squeeze=squeeze, fc="conv")
    assert linear.keys() == conv.keys()
    assert all(linear[key].flatten().equal(conv[key].flatten()) for key in linear)


def test_seeds_and_layers_differ() -> None:
    one, other = weights(0), weights(1)
    drawn = [key for key in one if one[key].ndim > 1]
    assert not any(one[key].equal(other[key]) for key in drawn)
    assert not one["stages.2.0.branch.reduce.conv.weight"].equal(
        one["stages.2.0.branch.increase.conv.weight"]
    )


def test_creating_a_model_draws_once_from_the_global_generator() -> None:
    states = []
    for axes in ({"r": None}, {"r": 2}):
        weights(0, **axes)
        states.append(torch.get_rng_state())
    torch.manual_seed(0)
    torch.randint(2**63 - 1, ())
    assert all(state.equal(torch.get_rng_state()) for state in states)


def test_values_are_those_of_he_et_al() -> None:
    grouped = nn.Conv2d(64, 256, (1, 7), groups=2)
    net = nn.Sequential(nn.Conv2d(64, 128, 3), nn.BatchNorm2d(128), nn.Linear(400, 300), grouped)
    for p in net.parameters():
        nn.init.constant_(p, 7)
    initialise_weights(net, seed=0)
    conv, bn, linear, _ = net
    for module, fan_in in ((conv, 64 * 9), (linear, 400), (grouped, 32 * 7)):
        assert module.weight.std().item() == pytest.approx(math.sqrt(2 / fan_in), rel=0.02)
        assert module.weight.mean().abs() < 0.002
        assert not module.bias.any()
    assert (bn.weight == 1).all()
    assert not bn.bias.any()


def test_values_are_the_same_in_every_process() -> None:
    conv = nn.Sequential(nn.Conv2d(3, 2, 1))
    initialise_weights(conv, seed=0)
    golden = [1.272752, 0.038699]
    assert conv[0].weight.flatten()[:2].tolist() == pytest.approx(golden, abs=1e-5)
