"""Channels that blocks gate: watched, ranked and masked."""

from __future__ import annotations

import itertools

import pytest
import torch

from senet_repro.config.schema import EXCITATIONS, PLACEMENTS, SQUEEZES
from senet_repro.models import create_model
from senet_repro.models.gates import find_se_blocks
from senet_repro.models.layers import Classifier
from senet_repro.models.masking import (
    enter_stages,
    find_least,
    finish_stages,
    mask_channels,
    watch_channels,
)
from senet_repro.models.se import SEBlock
from tests.models.networks import randomise_statistics

pytestmark = pytest.mark.usefixtures("one_thread")


def build_network(name: str = "resnet11", **axes: str) -> Classifier:
    torch.manual_seed(5)
    net = create_model(name, 4, **axes).eval()  # type: ignore[arg-type]
    randomise_statistics(net)
    return net.double()


def draw_images(count: int = 3, px: int = 8) -> torch.Tensor:
    return torch.randn(count, 3, px, px, dtype=torch.float64)


def compute_gates(block: SEBlock, u: torch.Tensor) -> torch.Tensor:
    """The gates of one image's map (C, H, W), position by position where nothing is squeezed: (C, positions)."""
    flat = u.flatten(1)
    if isinstance(block.squeeze, torch.nn.AdaptiveMaxPool2d):
        flat = flat.max(1, keepdim=True).values
    elif isinstance(block.squeeze, torch.nn.AdaptiveAvgPool2d):
        flat = flat.mean(1, keepdim=True)
    gates = []
    for z in flat.T:
        hidden = (block.fc1.weight @ z).clamp(min=0)  # type: ignore[operator]
        gates.append(block.excitation(block.fc2.weight @ hidden))  # type: ignore[operator]
    return torch.stack(gates, 1)


@pytest.mark.parametrize(
    ("squeeze", "excitation", "placement"),
    list(itertools.product(SQUEEZES, EXCITATIONS, PLACEMENTS)),
)
@torch.no_grad()
def test_watched_means_are_those_of_each_image_and_position(
    squeeze: str, excitation: str, placement: str
) -> None:
    net = build_network(squeeze=squeeze, excitation=excitation, placement=placement)
    blocks = find_se_blocks(net)
    maps = {}
    for name, block in blocks.items():
        block.register_forward_pre_hook(
            lambda _block, inputs, name=name: maps.update({name: inputs[0].clone()})
        )
    with watch_channels(blocks) as seen:
        net(draw_images())
    for name, block in blocks.items():
        gates = [compute_gates(block, u).abs().mean(1) for u in maps[name]]
        assert torch.allclose(seen["gate"][name], sum(gates), atol=1e-12)  # type: ignore[arg-type]
        activations = sum(u.abs().mean((1, 2)) for u in maps[name])
        assert torch.allclose(seen["activation"][name], activations, atol=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize("squeeze", SQUEEZES)
@torch.no_grad()
def test_a_mask_zeroes_its_channels_and_no_other_and_hides_them_from_the_squeeze(
    squeeze: str,
) -> None:
    block = SEBlock(6, 2, squeeze, "sigmoid", "linear", True).double()
    u = torch.randn(2, 6, 4, 4, dtype=torch.float64)
    base = torch.randn_like(u)
    drop = torch.tensor([False, True, False, False, True, False])
    with mask_channels({"block": block}, {"block": drop}):
        scaled, added = block(u), block(u, base, 0.5)
    emptied = u.clone()
    emptied[:, drop] = 0
    assert (scaled[:, drop] == 0).all()
    assert torch.equal(scaled, block(emptied))
    assert (scaled[:, ~drop] != 0).all()
    # What a block adds to is not masked.
    assert torch.allclose(added, base + 0.5 * scaled, atol=1e-14)
    # The gates of the others are as if the channels were not there.
    assert not torch.allclose(scaled[:, ~drop], block(u)[:, ~drop])
    # The mask ends with its context.
    assert torch.equal(block(u), block.forward(u))


def test_a_map_that_overflowed_is_masked_too() -> None:
    block = SEBlock(2, 1, "avg", "relu", "linear", False)
    u = torch.full((1, 2, 2, 2), torch.inf)
    with mask_channels({"block": block}, {"block": torch.tensor([True, True])}), torch.no_grad():
        assert (block(u) == 0).all()


@pytest.mark.parametrize(
    ("share_pct", "expected"), [(0, []), (10, []), (30, [1]), (50, [1, 3]), (90, [0, 1, 3, 4])]
)
def test_the_least_important_share_is_rounded_down_and_ties_go_by_index(
    share_pct: int, expected: list[int]
) -> None:
    importance = torch.tensor([0.5, 0.1, 0.9, 0.2, 0.5])
    assert find_least(importance, share_pct).nonzero()[:, 0].tolist() == expected


@pytest.mark.parametrize("name", ["resnet11", "wrn16_8", "shufflenet"])
@torch.no_grad()
def test_a_network_taken_up_at_a_stage_gives_its_logits(name: str) -> None:
    net = build_network(name)
    images = draw_images(1, 32 if name == "shufflenet" else 8)
    expected = net(images)
    entering = enter_stages(net, images)
    for stage, x in entering.items():
        # Also when it is taken up again: no stage changes what enters it.
        for _ in range(2):
            assert torch.equal(finish_stages(net, stage, x), expected)
