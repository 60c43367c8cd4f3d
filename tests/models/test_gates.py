"""Gates read by hooks are those of equations 2 to 4 computed by hand, at every point of the grid."""

from __future__ import annotations

from itertools import product

import pytest
import timm
import torch
from torch import Tensor

import senet_repro
from senet_repro.config.schema import EXCITATIONS, PLACEMENTS, SQUEEZES
from senet_repro.models.gates import find_se_blocks, hold_gates, watch_gates
from senet_repro.models.layers import Classifier
from senet_repro.models.se import SEBlock


def build_network(name: str = "resnet11", **axes: object) -> Classifier:
    torch.manual_seed(0)
    net: Classifier = senet_repro.create_model(name, num_classes=4, r=4, **axes)
    return net.eval()


def compute_by_hand(block: SEBlock, u: Tensor, squeeze: str, excitation: str) -> Tensor:
    """The mean gate over positions (N, C) of equations 2 and 3, for a block without biases."""
    if squeeze == "avg":
        z = u.mean((2, 3), keepdim=True)
    elif squeeze == "max":
        z = u.amax((2, 3), keepdim=True)
    else:
        z = u
    w1, w2 = block.fc1.weight, block.fc2.weight
    hidden = torch.einsum("hc,nc...->nh...", w1, z).clamp(min=0)
    logit = torch.einsum("ch,nh...->nc...", w2, hidden)
    squash = {
        "sigmoid": lambda x: 1 / (1 + torch.exp(-x)),
        "tanh": lambda x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
        "relu": lambda x: x * (x > 0),
    }
    return squash[excitation](logit).mean((2, 3))


@pytest.mark.parametrize(
    ("squeeze", "excitation", "placement"), list(product(SQUEEZES, EXCITATIONS, PLACEMENTS))
)
@torch.no_grad()
def test_watched_gates_are_those_computed_by_hand(
    squeeze: str, excitation: str, placement: str
) -> None:
    net = build_network(squeeze=squeeze, excitation=excitation, placement=placement).double()
    blocks = find_se_blocks(net)
    assert list(blocks) == ["SE_2_1", "SE_3_1", "SE_4_1"]
    entered: dict[str, Tensor] = {}
    handles = [
        block.register_forward_pre_hook(
            lambda _module, inputs, name=name: entered.__setitem__(name, inputs[0].clone())
        )
        for name, block in blocks.items()
    ]
    read: dict[str, Tensor] = {}
    with watch_gates(blocks, read.__setitem__):
        net(torch.randn(3, 3, 8, 8, dtype=torch.float64))
    for handle in handles:
        handle.remove()
    for name, block in blocks.items():
        expected = compute_by_hand(block, entered[name], squeeze, excitation)
        torch.testing.assert_close(read[name], expected)
    # Nobody watches any more.
    read.clear()
    net(torch.randn(3, 3, 8, 8, dtype=torch.float64))
    assert not read


@torch.no_grad()
def test_watched_gates_are_those_of_hooks_on_timms_own_network() -> None:
    torch.manual_seed(0)
    theirs = timm.create_model("legacy_seresnet50", num_classes=4).eval()
    ours = senet_repro.create_model("resnet50", num_classes=4, bias=True, stride_on="conv1x1")
    senet_repro.import_weights(ours.eval(), theirs.state_dict(), "timm")
    found: list[Tensor] = []
    for module in theirs.modules():
        if isinstance(module, torch.nn.Sigmoid):
            module.register_forward_hook(lambda _module, _inputs, s: found.append(s.flatten(1)))
    pictures = torch.randn(1, 3, 64, 64)
    theirs(pictures)
    read: dict[str, Tensor] = {}
    with watch_gates(find_se_blocks(ours), read.__setitem__):
        ours(pictures)
    assert len(read) == len(found) == 16
    for own, other in zip(read.values(), found, strict=True):
        torch.testing.assert_close(own, other)


@torch.no_grad()
def test_held_gates_scale_every_image_alike_until_the_context_ends() -> None:
    net = build_network()
    block = find_se_blocks(net)["SE_3_1"]
    u = torch.randn(2, block.channels, 3, 3)
    gates = torch.rand(block.channels)
    before = block(u)
    with hold_gates(block, gates.double()):
        torch.testing.assert_close(block(u), u * gates.view(1, -1, 1, 1))
    assert torch.equal(block(u), before)


@pytest.mark.parametrize(
    ("network", "first", "last", "count"),
    [
        ("resnet50", "SE_2_1", "SE_5_3", 16),
        ("vgg16", "SE_1_1", "SE_5_3", 13),
        ("shake_shake26_2x96d", "SE_2_1a", "SE_4_4b", 24),
    ],
)
def test_blocks_bear_the_papers_names(network: str, first: str, last: str, count: int) -> None:
    with torch.device("meta"):
        names = list(find_se_blocks(build_network(network)))
    assert (names[0], names[-1], len(names)) == (first, last, count)
