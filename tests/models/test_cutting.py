"""Channels cut out: the logits of the masked network from a smaller one."""

from __future__ import annotations

import pytest
import torch

from senet_repro.config.schema import EXCITATIONS, SQUEEZES
from senet_repro.core.errors import ConfigError
from senet_repro.models import count_macs, count_params, create_model
from senet_repro.models.cutting import check_cuttable, cut_channels, find_makers
from senet_repro.models.gates import find_se_blocks
from senet_repro.models.layers import Classifier
from senet_repro.models.masking import mask_channels
from tests.models.networks import randomise_statistics

pytestmark = pytest.mark.usefixtures("one_thread")


def build_cuttable(name: str, **axes: object) -> Classifier:
    torch.manual_seed(2)
    net = create_model(name, 3, placement="conv3x3", **axes).eval()
    randomise_statistics(net)
    return net.double()


def draw_drops(net: Classifier, share: float) -> dict[str, torch.Tensor]:
    return {
        name: torch.randperm(len(block.fc2.weight)) < share * len(block.fc2.weight)  # type: ignore[arg-type]
        for name, block in find_se_blocks(net).items()
    }


NETWORKS = [
    *(("resnet11", {"squeeze": squeeze}) for squeeze in SQUEEZES),
    *(("resnet11", {"excitation": excitation}) for excitation in EXCITATIONS),
    ("resnet11", {"bias": True, "fc": "conv", "squeeze": "max"}),
    ("resnet11", {"stages": [3]}),
    ("resnet20", {}),
    pytest.param("resnet164", {"stages": [2]}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "axes"), NETWORKS)
@torch.no_grad()
def test_masks_equal_cuts(name: str, axes: dict[str, object]) -> None:
    net = build_cuttable(name, **axes)
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    dropped = draw_drops(net, 0.5)
    with mask_channels(find_se_blocks(net), dropped):
        masked = net(images)
    smaller = cut_channels(net, dropped)
    assert torch.allclose(smaller(images), masked, rtol=1e-9, atol=1e-9 * masked.abs().max())
    # The mask does something, and the whole network is left as it was.
    assert not torch.allclose(net(images), masked, rtol=1e-3)
    assert count_params(smaller) < count_params(net)


def test_a_cut_of_half_leaves_half_of_all_that_a_channel_has() -> None:
    net = build_cuttable("resnet11", bias=True)
    dropped = {"SE_2_1": torch.arange(16) % 2 == 0}
    smaller = cut_channels(net, dropped)
    unit = smaller.stages["2"][0]  # type: ignore[index]
    shapes = {name: tuple(value.shape) for name, value in unit.branch.state_dict().items()}
    assert shapes["conv3x3.conv.weight"] == (8, 16, 3, 3)
    assert shapes["conv3x3.bn.running_var"] == (8,)
    assert shapes["gate.fc1.weight"] == (1, 8)
    assert shapes["gate.fc2.weight"] == (8, 1)
    assert shapes["gate.fc2.bias"] == (8,)
    assert shapes["increase.conv.weight"] == (64, 8, 1, 1)
    # Their sizes follow, which the multiply-adds are counted by.
    assert unit.branch.gate.fc1.in_features == 8
    assert count_macs(smaller.float(), 8) < count_macs(net.float(), 8)
    # The network itself is left as it was.
    assert net.stages["2"][0].branch.gate.fc1.in_features == 16  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "axes", "reason"),
    [
        ("resnext50", {"stages": [2]}, "groups of a grouped convolution"),
        ("shufflenet", {"stages": [2]}, "groups of a grouped convolution"),
        ("inception_resnet_v2", {"stages": [5]}, "not those of one convolution"),
        ("resnet11", {"placement": "standard"}, "not those of one convolution"),
        ("resnet11", {"placement": "pre"}, "not those of one convolution"),
    ],
)
def test_channels_that_are_tied_to_others_are_refused_with_the_reason(
    name: str, axes: dict[str, object], reason: str
) -> None:
    with torch.device("meta"):
        net = create_model(name, **{"placement": "conv3x3", **axes})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"{reason}.*give --mask-only"):
        check_cuttable(net)


@pytest.mark.parametrize(
    ("name", "placement", "expected"),
    [
        ("resnet11", "standard", {"2": "increase", "3": "increase", "4": "increase"}),
        ("resnet11", "conv3x3", {"2": "conv3x3", "3": "conv3x3", "4": "conv3x3"}),
        ("resnet11", "identity", {"2": "shortcut", "3": "shortcut", "4": "shortcut"}),
        ("resnet11", "pre", {"2": None, "3": None, "4": None}),
        ("resnet11", "post", {"2": None, "3": None, "4": None}),
    ],
)
def test_the_layers_that_make_the_channels_are_those_right_before_the_block(
    name: str, placement: str, expected: dict[str, str | None]
) -> None:
    net = create_model(name, 3, placement=placement)
    found = {}
    for block, maker in find_makers(net).items():
        stage = block.split("_")[1]
        unit = net.stages[stage][0]  # type: ignore[index]
        layers = {"shortcut": unit.shortcut, **dict(unit.branch.named_children())}
        found[stage] = None
        for layer, module in layers.items():
            if maker is not None and getattr(module, "conv", None) is maker.conv:
                assert module.bn is maker.bn
                found[stage] = layer
    assert found == expected


@pytest.mark.parametrize(
    ("name", "options", "has_conv", "has_bn"),
    [
        ("vgg16", {}, True, True),
        ("mobilenet", {}, True, True),
        # The branch of a pre-activation unit ends with a convolution.
        ("wrn16_8", {}, True, False),
        ("shake_shake26_2x96d", {"se_on": "mix"}, False, False),
    ],
)
def test_a_block_behind_several_convolutions_has_no_one_that_makes_its_channels(
    name: str, options: dict[str, str], has_conv: bool, has_bn: bool
) -> None:
    with torch.device("meta"):
        net = create_model(name, 3, **options)
    for maker in find_makers(net).values():
        assert (maker is not None) == has_conv
        assert (maker is not None and maker.bn is not None) == has_bn
