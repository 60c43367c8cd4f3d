"""Parameters and multiply-adds of every network, to the last one, with and without SE."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from senet_repro.models import count_macs, count_params, create_model, list_models
from senet_repro.models.se import SEBlock
from tests.models.expected_sizes import Network, expected_sizes

pytestmark = pytest.mark.usefixtures("one_thread")

SLOW_MACS = 2_000_000_000


def mark(network: Network) -> list[pytest.MarkDecorator]:
    """Return the marks of a network whose operations take seconds to trace."""
    return [pytest.mark.slow] if expected_sizes()[network].macs > SLOW_MACS else []


LINES = [
    pytest.param(network, id="-".join(map(str, network)), marks=mark(network))
    for network in expected_sizes()
]


def test_every_network_has_its_counts_with_and_without_se() -> None:
    counted = {(network.name, network.r is None) for network in expected_sizes()}
    assert counted == {(name, is_plain) for name in list_models() for is_plain in (True, False)}


@pytest.mark.parametrize("network", LINES)
def test_parameters_and_multiply_adds_are_the_expected_ones(network: Network) -> None:
    expected = expected_sizes()[network]
    net = network.skeleton()
    assert count_params(net) == expected.params
    assert count_macs(net, network.input_px) == expected.macs


@pytest.mark.parametrize(
    "other", [{"fc": "conv"}, {"excitation": "tanh"}, {"squeeze": "max"}], ids=str
)
def test_operators_and_the_way_to_write_fcs_cost_nothing(other: dict[str, Any]) -> None:
    one, another = create_model("resnet11", 10), create_model("resnet11", 10, **other)
    assert count_params(one) == count_params(another)
    assert count_macs(one, 16) == count_macs(another, 16)


@pytest.mark.parametrize(
    ("squeeze", "squeezed", "positions"), [("avg", 64 * 4, 1), ("max", 64 * 4, 1), ("none", 0, 64)]
)
def test_multiply_adds_by_hand(squeeze: str, squeezed: int, positions: int) -> None:
    block = SEBlock(4, 2, squeeze, "sigmoid", "linear", bias=True)
    layers = [
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Sequential(block),
    ]
    # Pooling counts in SE blocks only.
    for pool in (nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)):
        net = nn.Sequential(*layers, pool, nn.Flatten(), nn.Linear(4, 5))
        assert count_macs(net, 8) == 64 * 3 * 4 * 9 + squeezed + positions * 2 * 4 * 2 + 4 * 5


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_another_counter_finds_as_many_multiply_adds() -> None:
    from fvcore.nn import FlopCountAnalysis

    net = create_model("resnet11", 10, r=None).eval()
    analysis = FlopCountAnalysis(net, torch.zeros(1, 3, 16, 16))
    counts = analysis.unsupported_ops_warnings(False).by_operator()
    assert count_macs(net, 16) == counts["conv"] + counts["linear"]


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
