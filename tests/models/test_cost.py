"""Parameters and multiply-adds of every network, to the last one, with and without SE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from torch import nn

from senet_repro.config.composition import compose
from senet_repro.models import cost, count_macs, count_params, create_model, list_models
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


def test_a_process_counts_each_network_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    count = cost._count_macs_of

    def note(net: nn.Module, input_px: int) -> int:
        counted.append(input_px)
        return count(net, input_px)

    monkeypatch.setattr(cost, "_count_macs_of", note)
    monkeypatch.setattr(cost, "_COUNTED", {})
    run = compose(["r=3"])
    alike = [run, replace(run, seed=2), replace(run, recipe=replace(run.recipe, lr=0.1))]
    sizes = {cost.count_run(same) for same in alike}
    assert counted == [8]
    net = cost.network_of(run)
    assert sizes == {(count_params(net), count_macs(net, 8))}
    others = [replace(run, r="none"), replace(run, data=replace(run.data, eval_px=16))]
    assert len({cost.network_key(each) for each in [*alike, *others]}) == 3
