"""The words of an evaluation: sizes, crops, and the passes that they ask for."""

from __future__ import annotations

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.evaluation import CropRule, choose_rules, split_words
from senet_repro.config.paper_tables import compose_cached
from senet_repro.config.releases import RELEASES, guess_source
from senet_repro.config.weight_files import RELEASED
from senet_repro.core.errors import ConfigError

NATIVE = CropRule(size_px=224, resize_px=256)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", [(224, 256)]),
        # A larger crop than the native one: the rule of the paper's rows first, the native ratio beside it.
        ("sizes=[224,320]", [(224, 256), (320, 320), (320, 365)]),
        ("sizes=160", [(160, 182)]),
        (
            "sizes=[224,320] crop_ratio=[0.875,1.0]",
            [(224, 256), (224, 224), (320, 365), (320, 320)],
        ),
        ("sizes=[224,224] crop_ratio=1", [(224, 224)]),
    ],
)
def test_each_size_and_ratio_is_a_pass(words: str, expected: list[tuple[int, int]]) -> None:
    said, settings = split_words([*words.split(), "data.root=/a=b"])
    assert settings == ["data.root=/a=b"]
    rules = choose_rules(compose_cached("protocol=imagenet").data, said, NATIVE)
    assert [(rule.size_px, rule.resize_px) for rule in rules] == expected


def test_the_set_says_which_sides_are_resized() -> None:
    said, _ = split_words(["sizes=[224,320]"])
    rules = choose_rules(compose_cached("protocol=places365").data, said, NATIVE)
    assert rules[0] == CropRule(size_px=224, resize_px=256, sides="both")
    assert [rule.describe() for rule in rules] == [
        "both sides 256, centre 224",
        "both sides 320, centre 320",
        "both sides 365, centre 320",
    ]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "sizes=big",
            r"sizes=big: give a number, or numbers in brackets, such as sizes=\[224,320\]",
        ),
        ("sizes=[]", "give a number"),
        ("sizes=[224.5]", "whole numbers of pixels from 1 to 4,096"),
        ("sizes=0", "whole numbers of pixels from 1 to 4,096"),
        ("sizes=5000", "whole numbers of pixels from 1 to 4,096"),
        ("sizes=nan", "give a number"),
        ("crop_ratio=0", "above 0 and at most 1"),
        ("crop_ratio=[0.875,1.2]", "above 0 and at most 1"),
        ("crop_ratio=0.01", "from one of 22,400 px, more than 4,096; give a greater ratio"),
        ("interpolation=nearest", "interpolation=nearest: give bilinear or bicubic"),
        ("antialias=maybe", "antialias=maybe: give true or false"),
        ("size=224", "unknown key 'size'; did you mean 'sizes'"),
        ("crop_ratios=1", "did you mean 'crop_ratio'"),
        ("sizes", "sizes: give sizes=VALUE"),
    ],
)
def test_a_word_that_cannot_be_is_refused_with_its_mend(word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose_rules(compose_cached("protocol=imagenet").data, split_words([word])[0], NATIVE)


@pytest.mark.parametrize(
    "word", ["sizes=16", "crop_ratio=1", "interpolation=bicubic", "antialias=true"]
)
def test_images_of_a_set_in_memory_are_taken_as_they_are(word: str) -> None:
    data = compose_cached().data
    assert choose_rules(data, split_words(["sizes=8"])[0], NATIVE) == [
        CropRule(size_px=8, resize_px=None)
    ]
    with pytest.raises(ConfigError, match=r"digits images are .*not resized; leave .* out"):
        choose_rules(data, split_words([word])[0], NATIVE)


def test_the_names_of_tensors_tell_whose_they_are() -> None:
    assert (
        guess_source("resnet50", ["module.layer0.conv1.weight", "module.last_linear.bias"])
        == "timm"
    )
    assert guess_source("resnet50", ["conv1.weight", "fc.bias"]) == "torchvision"
    assert guess_source("vgg16", ["features.0.weight", "classifier.6.bias"]) == "torchvision"
    with pytest.raises(ConfigError, match=r"give init\.source=timm, or the folder of a run"):
        guess_source("senet154", ["stages.2.0.conv.weight"])


def test_every_released_network_has_its_settings_and_preprocessing() -> None:
    assert {source: set(networks) for source, networks in RELEASES.items()} == {
        source: set(networks) for source, networks in RELEASED.items()
    }


def test_a_training_of_no_epochs_names_the_verb() -> None:
    with pytest.raises(ConfigError, match="python -m senet_repro evaluate RUN_OR_WEIGHTS"):
        compose(["recipe.epochs=0"])
