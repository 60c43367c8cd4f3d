"""Parameters and multiply-adds against the published and released networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_repro.models import count_macs, count_params, create_model

pytestmark = pytest.mark.usefixtures("one_thread")

NO_BIAS = {"bias": False}
PARAMS = [  # exact; section 6 counts its networks without FC biases
    ("resnet50", {"r": None}, 25_557_032),
    ("resnet50", {}, 28_088_024),
    ("resnet50", {"stride_on": "conv3x3"}, 28_088_024),
    ("resnet50", {"squeeze": "max"}, 28_088_024),
    ("resnet50", {"squeeze": "none"}, 28_088_024),
    ("resnet50", {"fc": "conv"}, 28_088_024),
]
PARAMS_M = [  # to the five decimals they are known to
    ("resnet50", {"r": 2} | NO_BIAS, 45.67658),
    ("resnet50", {"r": 4} | NO_BIAS, 35.61681),
    ("resnet50", {"r": 8} | NO_BIAS, 30.58692),
    ("resnet50", {"r": 16} | NO_BIAS, 28.07198),
    ("resnet50", {"r": 32} | NO_BIAS, 26.81450),
    ("resnet50", {"stages": [2]} | NO_BIAS, 25.58161),
    ("resnet50", {"stages": [3]} | NO_BIAS, 25.68810),
    ("resnet50", {"stages": [4]} | NO_BIAS, 26.34346),
    ("resnet50", {"stages": [5]} | NO_BIAS, 27.12990),
    ("resnet50", {"stages": "all_but_last"} | NO_BIAS, 26.49911),
    ("resnet50", {"placement": "conv3x3"} | NO_BIAS, 25.71422),
    ("resnet50", {"placement": "pre"} | NO_BIAS, 27.54820),
    ("resnet50", {"placement": "post"} | NO_BIAS, 28.07198),
    ("resnet50", {"placement": "identity"} | NO_BIAS, 28.07198),
    ("resnet50", {"squeeze": "none"} | NO_BIAS, 28.07198),
    ("resnet101", {"r": None}, 44.54916),
    ("resnet101", {}, 49.32687),
    ("resnet152", {"r": None}, 60.19281),
    ("resnet152", {}, 66.82185),
]
# The plain networks lack the 100,352 operations of a head's pooling, which is not counted.
GMACS = [
    ("resnet50", {"r": None}, 3.85797),
    ("resnet50", {}, 3.86601),
    ("resnet50", {"fc": "conv"}, 3.86601),
    ("resnet50", {"squeeze": "max"}, 3.86601),
    ("resnet50", {"squeeze": "none"}, 4.26902),
    ("resnet50", {"r": None, "stride_on": "conv3x3"}, 4.08918),
    ("resnet50", {"placement": "conv3x3"}, 3.85951),
    ("resnet101", {}, 7.58387),
    ("resnet152", {"r": None}, 11.28242),
]


def skeleton(name: str, axes: dict[str, object]) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, **axes)


@pytest.mark.parametrize(("name", "axes", "params"), PARAMS, ids=str)
def test_parameters_exactly(name: str, axes: dict[str, object], params: int) -> None:
    assert count_params(skeleton(name, axes)) == params


@pytest.mark.parametrize(("name", "axes", "params_m"), PARAMS_M, ids=str)
def test_parameters_in_millions(name: str, axes: dict[str, object], params_m: float) -> None:
    assert round(count_params(skeleton(name, axes)) / 1e6, 5) == params_m


@pytest.mark.parametrize(("name", "axes", "gmacs"), GMACS, ids=str)
def test_multiply_adds_at_224_px(name: str, axes: dict[str, object], gmacs: float) -> None:
    assert round(count_macs(skeleton(name, axes), 224) / 1e9, 5) == gmacs


def test_multiply_adds_by_hand() -> None:
    layers = [
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),
    ]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 5))
    assert count_macs(net, 8) == 64 * 3 * 4 * 9 + 4 * 64 + 4 * 5


@pytest.mark.parametrize("training", [True, False])
def test_counting_leaves_the_network_as_it_was(training: bool) -> None:
    net = create_model("resnet11", 10).train(training)
    net.stem.eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    assert count_macs(net, 16) == count_macs(net, 16)
    assert [module.training for module in net.modules()] == modes
    assert all(value.equal(before[key]) for key, value in net.state_dict().items())


def test_frozen_parameters_are_not_counted() -> None:
    net = nn.Linear(4, 3)
    net.bias.requires_grad_(False)
    assert count_params(net) == 12
