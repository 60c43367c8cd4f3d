"""Parameters and multiply-adds of every network, to the last one, with and without SE."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_repro.models import count_macs, count_params, create_model, list_models
from senet_repro.models.se import SEBlock

pytestmark = pytest.mark.usefixtures("one_thread")

NO_BIAS = {"bias": False}
CIFAR10, CIFAR100, IMAGENET = (32, 10), (32, 100), (224, 1000)
SIZES = [  # without SE and with; the multiply-adds lack those of a head's pooling, which is not counted
    ("resnet50", {}, IMAGENET, (25_557_032, 28_088_024), (3_857_973_248, 3_866_007_552)),
    ("resnet101", {}, IMAGENET, (44_549_160, 49_326_872), (7_570_194_432, 7_583_868_928)),
    ("resnet152", {}, IMAGENET, (60_192_808, 66_821_848), (11_282_415_616, 11_302_139_904)),
    ("resnext50", {}, IMAGENET, (25_028_904, 27_559_896), (4_230_479_872, 4_238_514_176)),
    ("resnext101", {}, IMAGENET, (44_177_704, 48_955_416), (7_969_996_800, 7_983_671_296)),
    ("senet154", {}, IMAGENET, (108_459_944, 115_088_984), (20_681_785_344, 20_701_509_632)),
    ("vgg16", {}, IMAGENET, (138_365_992, 138_596_784), (15_470_264_320, 15_484_038_144)),
    ("bn_inception", {}, IMAGENET, (11_285_224, 11_931_622), (2_032_600_064, 2_034_420_128)),
    (
        "inception_resnet_v2",
        {},
        (299, 1000),
        (55_843_464, 64_387_444),
        (11_730_003_040, 11_748_787_360),
    ),
    (
        "inception_resnet_v2",
        {"stem": "slim"},
        (299, 1000),
        (55_843_464, 64_387_444),
        (13_155_794_016, 13_175_829_216),
    ),
    ("mobilenet", NO_BIAS, IMAGENET, (4_231_976, 4_711_720), (568_740_352, 571_929_600)),
    ("shufflenet", NO_BIAS, IMAGENET, (1_865_728, 2_476_144), (137_460_672, 139_675_152)),
    ("resnet11", {}, CIFAR10, (127_642, 138_870), (17_222_144, 17_347_584)),
    ("resnet20", {}, CIFAR10, (269_722, 272_095), (40_551_040, 40_639_072)),
    ("resnet29", {}, CIFAR10, (313_114, 346_798), (43_960_832, 44_337_152)),
    ("resnet56", {}, CIFAR10, (853_018, 860_137), (125_485_696, 125_749_792)),
    ("resnet110", {}, CIFAR10, (1_730_522, 1_744_760), (253_149_824, 253_678_016)),
    ("resnet110_post", {}, CIFAR10, (1_727_962, 1_742_200), (252_887_680, 253_415_872)),
    ("resnet164", {}, CIFAR10, (1_703_258, 1_905_362), (244_500_992, 246_758_912)),
    ("wrn16_8", {}, CIFAR10, (10_961_370, 11_049_290), (1_548_145_664, 1_548_690_432)),
    ("shake_shake26_2x96d", {}, CIFAR10, (26_192_922, 26_392_170), (3_776_892_672, 3_778_462_464)),
    (
        "shake_shake26_2x96d",
        {"se_on": "mix"},
        CIFAR10,
        (26_192_922, 26_292_546),
        (3_776_892_672, 3_777_677_568),
    ),
    (
        "shake_even29_2x4x64d",
        {},
        CIFAR100,
        (34_491_444, 35_535_060),
        (5_348_282_368, 5_352_067_072),
    ),
    (
        "shake_even29_2x4x64d",
        {"se_on": "mix"},
        CIFAR100,
        (34_491_444, 35_013_252),
        (5_348_282_368, 5_350_174_720),
    ),
]
ROWS = [
    pytest.param(
        *row, id=f"{row[0]}-{row[1]}", marks=[pytest.mark.slow] * (row[4][0] > 5_000_000_000)
    )
    for row in SIZES
]
PARAMS = [  # of ResNet-50; section 6 counts its networks without FC biases
    ({"stride_on": "conv3x3"}, 28_088_024),
    ({"stem_pool": "padded"}, 28_088_024),
    ({"squeeze": "max"}, 28_088_024),
    ({"squeeze": "none"}, 28_088_024),
    ({"fc": "conv"}, 28_088_024),
    ({"r": 2} | NO_BIAS, 45_676_584),
    ({"r": 4} | NO_BIAS, 35_616_808),
    ({"r": 8} | NO_BIAS, 30_586_920),
    ({"r": 16} | NO_BIAS, 28_071_976),
    ({"r": 32} | NO_BIAS, 26_814_504),
    ({"stages": [2]} | NO_BIAS, 25_581_608),
    ({"stages": [3]} | NO_BIAS, 25_688_104),
    ({"stages": [4]} | NO_BIAS, 26_343_464),
    ({"stages": [5]} | NO_BIAS, 27_129_896),
    ({"stages": "all_but_last"} | NO_BIAS, 26_499_112),
    ({"placement": "conv3x3"} | NO_BIAS, 25_714_216),
    ({"placement": "pre"} | NO_BIAS, 27_548_200),
    ({"placement": "post"} | NO_BIAS, 28_071_976),
    ({"placement": "identity"} | NO_BIAS, 28_071_976),
    ({"squeeze": "none"} | NO_BIAS, 28_071_976),
]
MACS = [  # of ResNet-50
    ({"fc": "conv"}, 3_866_007_552),
    ({"squeeze": "max"}, 3_866_007_552),
    ({"squeeze": "none"}, 4_269_015_040),
    ({"stem_pool": "padded"}, 3_866_007_552),
    ({"r": None, "stride_on": "conv3x3"}, 4_089_184_256),
    ({"placement": "conv3x3"}, 3_859_510_272),
]


def skeleton(name: str, classes: int = 1000, **axes: object) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, classes, **{"bias": True, **axes})


def test_every_network_has_its_counts() -> None:
    assert {row[0] for row in SIZES} == set(list_models())


@pytest.mark.parametrize(("name", "axes", "data", "params", "macs"), ROWS)
def test_parameters_and_multiply_adds_of_every_network(
    name: str,
    axes: dict[str, object],
    data: tuple[int, int],
    params: tuple[int, int],
    macs: tuple[int, int],
) -> None:
    input_px, classes = data
    nets = [skeleton(name, classes, stages=stages, **axes) for stages in ("none", "all")]
    assert tuple(count_params(net) for net in nets) == params
    assert tuple(count_macs(net, input_px) for net in nets) == macs


@pytest.mark.parametrize(("axes", "params"), PARAMS, ids=str)
def test_parameters_of_variants(axes: dict[str, object], params: int) -> None:
    assert count_params(skeleton("resnet50", **axes)) == params


@pytest.mark.parametrize(("axes", "macs"), MACS, ids=str)
def test_multiply_adds_of_variants(axes: dict[str, object], macs: int) -> None:
    assert count_macs(skeleton("resnet50", **axes), 224) == macs


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
    for pool in (nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)):  # which counts in blocks only
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
