"""Every row's counts, pinned to the last parameter and multiply-add, and their verdicts."""

from __future__ import annotations

import pytest

from senet_repro.config.paper_tables import paper_tables
from senet_repro.config.schema import Row
from senet_repro.models.sizes import Size, count_sizes

COUNTS = {
    ("imagenet", "ResNet-50"): (25_557_032, 3_857_973_248),
    ("imagenet", "SE-ResNet-50"): (28_088_024, 3_866_007_552),
    ("imagenet", "ResNet-101"): (44_549_160, 7_570_194_432),
    ("imagenet", "SE-ResNet-101"): (49_326_872, 7_583_868_928),
    ("imagenet", "ResNet-152"): (60_192_808, 11_282_415_616),
    ("imagenet", "SE-ResNet-152"): (66_821_848, 11_302_139_904),
    ("imagenet", "ResNeXt-50"): (25_028_904, 4_230_479_872),
    ("imagenet", "SE-ResNeXt-50"): (27_559_896, 4_238_514_176),
    ("imagenet", "ResNeXt-101"): (44_177_704, 7_969_996_800),
    ("imagenet", "SE-ResNeXt-101"): (48_955_416, 7_983_671_296),
    ("imagenet", "VGG-16"): (138_365_992, 15_470_264_320),
    ("imagenet", "SE-VGG-16"): (138_596_784, 15_484_038_144),
    ("imagenet", "BN-Inception"): (11_285_224, 2_032_600_064),
    ("imagenet", "SE-BN-Inception"): (11_931_622, 2_034_420_128),
    ("imagenet", "Inception-ResNet-v2"): (55_843_464, 11_730_003_040),
    ("imagenet", "SE-Inception-ResNet-v2"): (64_387_444, 11_748_787_360),
    ("mobile", "MobileNet"): (4_231_976, 568_740_352),
    ("mobile", "SE-MobileNet"): (4_711_720, 571_929_600),
    ("mobile", "ShuffleNet"): (1_865_728, 137_460_672),
    ("mobile", "SE-ShuffleNet"): (2_476_144, 139_675_152),
    ("cifar10", "ResNet-110"): (1_730_522, 253_149_824),
    ("cifar10", "SE-ResNet-110"): (1_744_760, 253_678_016),
    ("cifar10", "ResNet-164"): (1_703_258, 244_500_992),
    ("cifar10", "SE-ResNet-164"): (1_905_362, 246_758_912),
    ("cifar10", "WRN-16-8"): (10_961_370, 1_548_145_664),
    ("cifar10", "SE-WRN-16-8"): (11_049_290, 1_548_690_432),
    ("cifar10", "Shake-Shake-26 2x96d + Cutout"): (26_192_922, 3_776_892_672),
    ("cifar10", "SE-Shake-Shake-26 2x96d + Cutout"): (26_392_170, 3_778_462_464),
    ("cifar100", "ResNet-110"): (1_736_372, 253_155_584),
    ("cifar100", "SE-ResNet-110"): (1_750_610, 253_683_776),
    ("cifar100", "ResNet-164"): (1_726_388, 244_524_032),
    ("cifar100", "SE-ResNet-164"): (1_928_492, 246_781_952),
    ("cifar100", "WRN-16-8"): (11_007_540, 1_548_191_744),
    ("cifar100", "SE-WRN-16-8"): (11_095_460, 1_548_736_512),
    ("cifar100", "Shake-Even-29 2x4x64d + Cutout"): (34_491_444, 5_348_282_368),
    ("cifar100", "SE-Shake-Even-29 2x4x64d + Cutout"): (35_535_060, 5_352_067_072),
    ("state_of_the_art", "SENet-154, 224 px"): (115_088_984, 20_701_509_632),
    ("reduction_ratio", "r = 2"): (45_676_584, 3_883_612_160),
    ("reduction_ratio", "r = 4"): (35_616_808, 3_873_552_384),
    ("reduction_ratio", "r = 8"): (30_586_920, 3_868_522_496),
    ("reduction_ratio", "r = 16"): (28_071_976, 3_866_007_552),
    ("reduction_ratio", "r = 32"): (26_814_504, 3_864_750_080),
    ("reduction_ratio", "original"): (25_557_032, 3_857_973_248),
    ("squeeze", "max"): (28_071_976, 3_866_007_552),
    ("squeeze", "avg"): (28_071_976, 3_866_007_552),
    ("excitation", "relu"): (28_071_976, 3_866_007_552),
    ("excitation", "tanh"): (28_071_976, 3_866_007_552),
    ("excitation", "sigmoid"): (28_071_976, 3_866_007_552),
    ("stages", "ResNet-50"): (25_557_032, 3_857_973_248),
    ("stages", "SE_Stage_2"): (25_581_608, 3_860_406_272),
    ("stages", "SE_Stage_3"): (25_688_104, 3_859_709_952),
    ("stages", "SE_Stage_4"): (26_343_464, 3_859_963_904),
    ("stages", "SE_All"): (28_071_976, 3_866_007_552),
    ("integration", "SE"): (28_071_976, 3_866_007_552),
    ("integration", "SE-PRE"): (27_548_200, 3_865_584_128),
    ("integration", "SE-POST"): (28_071_976, 3_866_007_552),
    ("integration", "SE-Identity"): (28_071_976, 3_866_007_552),
    ("se_3x3", "SE"): (28_071_976, 3_866_007_552),
    ("se_3x3", "SE_3x3"): (25_714_216, 3_859_510_272),
    ("no_squeeze", "ResNet-50"): (25_557_032, 3_857_973_248),
    ("no_squeeze", "NoSqueeze"): (28_071_976, 4_269_015_040),
    ("no_squeeze", "SE"): (28_071_976, 3_866_007_552),
    ("last_stage", "ResNet-50"): (25_557_032, 3_857_973_248),
    ("last_stage", "all but the last"): (26_499_112, 3_864_133_632),
    ("last_stage", "SE"): (28_071_976, 3_866_007_552),
    ("-", "resnet11"): (127_642, 17_222_144),
    ("-", "SE-resnet11"): (138_870, 17_347_584),
    ("-", "resnet110_post"): (1_727_962, 252_887_680),
    ("-", "SE-resnet110_post"): (1_742_200, 253_415_872),
    ("-", "resnet20"): (269_722, 40_551_040),
    ("-", "SE-resnet20"): (272_095, 40_639_072),
    ("-", "resnet29"): (313_114, 43_960_832),
    ("-", "SE-resnet29"): (346_798, 44_337_152),
    ("-", "resnet56"): (853_018, 125_485_696),
    ("-", "SE-resnet56"): (860_137, 125_749_792),
}
OTHERS = ("resnet11", "resnet20", "resnet29", "resnet56", "resnet110_post")
NOT_PUBLISHED = {"cifar10", "cifar100", "state_of_the_art", "squeeze", "excitation", "integration"}


@pytest.mark.slow
def test_every_row_is_counted_exactly_and_meets_the_published_figures_or_says_why() -> None:
    found = {(size.table.name if size.table else "-", size.row): size for size in count_sizes()}
    assert {row for table, row in found if table == "-"} == {
        prefix + name for prefix in ("", "SE-") for name in OTHERS
    }
    assert len(found) == sum(len(table.rows) for table in paper_tables().values()) + 2 * len(OTHERS)
    assert {key: (size.params, size.macs) for key, size in found.items() if size.params} == COUNTS
    assert {size.verdict for size in found.values()} == {
        "match",
        "known",
        "not published",
        "cited only",
        "not in the paper",
    }
    assert {row for (_, row), size in found.items() if size.verdict == "known"} == {
        "ShuffleNet",
        "SE-ShuffleNet",
    }
    unmatched = {table for (table, row), size in found.items() if size.verdict == "not published"}
    assert unmatched == {*NOT_PUBLISHED, "last_stage"}


@pytest.mark.parametrize(
    ("published", "verdict"),
    [
        (Row(params_m=1.004, gflops=2.0), "match"),
        (Row(params_m=1.006, gflops=2.0), "off"),
        (Row(params_m=1.006, gflops=2.0, size_note="a reason"), "known"),
        (Row(params_m=1.0, gflops=2.02), "off"),
        (Row(gflops=1.995), "match"),
        (Row(), "not published"),
    ],
)
def test_a_verdict_allows_half_a_percent(published: Row, verdict: str) -> None:
    table = next(iter(paper_tables().values()))
    assert Size(table, "row", published, params=1_000_000, macs=2_000_000_000).verdict == verdict


@pytest.mark.parametrize(("published", "verdict"), [(4.2, "match"), (4.3, "off")])
def test_a_verdict_allows_what_the_printed_decimal_hides(published: float, verdict: str) -> None:
    table = next(iter(paper_tables().values()))
    assert Size(table, "row", Row(params_m=published), params=4_231_976, macs=1).verdict == verdict


def test_a_row_without_a_network_is_only_cited() -> None:
    table = next(iter(paper_tables().values()))
    assert (
        Size(table, "row", Row(axes=None, params_m=1.0), params=None, macs=None).verdict
        == "cited only"
    )
