"""Every number of the configuration has its range, and no number outside it trains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.keys import list_facts, list_keys, list_ranges
from senet_repro.config.ranges import Range
from senet_repro.config.validation import validate_run
from senet_repro.core.errors import ConfigError

# Its numbers are held to the length of their schedule.
WITHOUT_RANGE = {"recipe.schedule.drops"}
NUMBERS = (int, float, int | None, float | None, list[int], list[float], list[float] | None)


def test_every_number_that_a_command_may_give_has_a_range() -> None:
    numbers = {key.name for key in list_keys().values() if key.type in NUMBERS}
    limited_elsewhere = set(list_facts()) | WITHOUT_RANGE
    assert numbers - limited_elsewhere == set(list_ranges())


@pytest.mark.parametrize(
    ("limits", "legal", "illegal"),
    [
        (Range(least=0, greatest=2), [0, 1.5, 2], [-1, 2.1, float("nan"), float("inf")]),
        (Range(least=0, greatest=2, without_least=True), [1e-300, 2], [0, -0.0]),
        (Range(least=0, greatest=2, without_greatest=True), [0, 1.999], [2]),
    ],
)
def test_a_range_holds_its_limits_or_not(
    limits: Range, legal: list[float], illegal: list[float]
) -> None:
    assert all(limits.holds(value) for value in legal)
    assert not any(limits.holds(value) for value in illegal)


@pytest.mark.parametrize(
    "overrides",
    [
        ["data.mean=[nan,1,1]"],
        ["data.std=[inf,1,1]"],
        ["data.std=[0.229,0.224,0.225]"],
        ["data.crop_area=[2,1]"],
        ["data.crop_area=[0.9,0.1]"],
        ["data.crop_aspect=[0.75,-1]"],
        ["seed=18446744073709551616"],
        ["trainer.devices=100000"],
        ["trainer.num_workers=1e6"],
        ["recipe.epochs=1000000000"],
    ],
)
def test_nonsense_is_refused_before_it_trains(overrides: list[str]) -> None:
    with pytest.raises(ConfigError, match=overrides[0].partition("=")[0]):
        compose(overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["recipe.cutout_px=1000"], "leaves nothing of images of 8 px: give less than 8"),
        (["data.classes=9"], "digits has 10 classes: give data.classes=10"),
        (["data.eval_px=16"], "are not resized: give data.train_px=8 data.eval_px=8"),
        (["data.crop_area=[0.1,1]"], "data.crop_area=[0.1,1.0]: digits makes no use of it"),
        (["data.px=4"], "data.px=4: pictures of digits have one size; leave it out"),
        (["data=cifar10", "data.px=12"], "data.px=12: give 32, 16 or 8 for cifar10"),
        (["data=cifar100", "data.train_px=16"], "give data.px=32, 16 or 8, and neither"),
        (["protocol=imagenet", "data.px=16"], "data.px=16: imagenet makes no use of it"),
        (["data.eval_resize_px=16"], "data.eval_resize_px=16: digits makes no use of it"),
        (["data.eval_resize_sides=both"], "data.eval_resize_sides='both': digits makes no use of"),
        (["data.subset=standard"], "data.subset=standard: digits has no subsets; leave it out"),
        (
            ["protocol=places365", "data.subset=small"],
            "data.subset=small: give challenge or standard",
        ),
        (
            ["protocol=places365", "data.subset=null"],
            "data.subset=null: give challenge or standard",
        ),
        (["protocol=imagenet", "data.pad_px=4"], "data.pad_px=4: imagenet makes no use of it"),
        (["protocol=imagenet", "data.download=true"], "data.download=true: imagenet makes no use"),
        (
            ["protocol=imagenet", "data.crop_aspect=null"],
            "give data.crop_area and data.crop_aspect",
        ),
        (["data.pad_px=1000"], "images of data.train_px=8 take at most half of it, 4"),
        (["trainer.sync_bn=true"], "this run has one: leave it out, or give trainer.devices=N"),
        (
            ["trainer.sync_bn=true", "trainer.devices=2", "trainer.accelerator=cpu"],
            "torch offers it on GPUs only",
        ),
        (
            ["trainer.precision=16-mixed", "trainer.accelerator=cpu"],
            "give bf16-mixed or 32-true on the CPU",
        ),
        (
            ["trainer.graph=true", "protocol=imagenet"],
            "imagenet is read from files: give trainer.graph=false",
        ),
        (
            ["protocol=imagenet", "data.eval_resize_px=200"],
            "is smaller than the crop, data.eval_px=224: give at least 224",
        ),
        (["recipe.nesterov=true", "recipe.momentum=0"], "give a momentum, such as 0.9"),
        (["protocol=imagenet", "recipe.schedule.drops=[30,20]"], "give rising whole numbers"),
        (["protocol=imagenet", "recipe.schedule.drops=[30,300]"], "recipe.schedule.length=270"),
        (
            ["+experiment=cifar10", "model=resnet110", "recipe.schedule.warmup=64001"],
            "give at most recipe.schedule.length=64000",
        ),
    ],
)
def test_a_number_that_another_setting_limits_is_refused(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        compose(overrides)
    assert message in str(error.value)


def test_what_a_graph_cannot_hold_is_refused() -> None:
    run = compose(["trainer.graph=true", "recipe.batch_size=64"])
    mends = {
        ("devices", 2): "is for one device: give trainer.devices=1 and trainer.nodes=1, or",
        ("nodes", 2): "is for one device: give trainer.devices=1 and trainer.nodes=1, or",
        ("accumulate", 2): "give trainer.accumulate=1, or trainer.graph=false",
        ("precision", "16-mixed"): "give trainer.precision=bf16-mixed, or trainer.graph=false",
    }
    for (key, value), mend in mends.items():
        trainer = replace(run.trainer, **{key: value})
        with pytest.raises(ConfigError, match=mend):
            validate_run(replace(run, trainer=trainer))
