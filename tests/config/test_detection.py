"""Runs of detection that cannot be are refused with the mend, and its settings count for no other task."""

from __future__ import annotations

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.detection import list_pyramid_stages, require_first_weights
from senet_repro.config.identity import build_identity, run_key
from senet_repro.core.errors import ConfigError

COCO, SHAPES = ["+experiment=coco"], ["+experiment=coco", "protocol=shapes"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["task=detection"], "digits has classes: give data=coco or data=shapes"),
        (["data=shapes"], "holds pictures with boxes: give task=detection"),
        (["detection.freeze_at=3"], "detection.* changes nothing for task=classification"),
        ([*COCO, "detection.freeze_at=6"], "resnet50 has the stages 2, 3, 4 and 5"),
        ([*COCO, "detection.batch_norm=fixed"], "give frozen or trained"),
        ([*COCO, "detection.pyramid_stages=[4,3]"], "give rising stages of resnet50"),
        ([*COCO, "detection.pyramid_stages=[3,4]"], "give 3 sides, one for each of 2 stages"),
        ([*COCO, "detection.anchor_px=[32,64]"], "detection.anchor_px=[32, 64]: give 5 sides"),
        ([*COCO, "detection.anchor_px=[0,1,2,3,4]"], "detection.anchor_px"),
        ([*COCO, "data.train_px=1400"], "give data.most_px=1400 or more"),
        ([*COCO, "data.most_px=null"], "data.most_px is missing for coco"),
        ([*COCO, "data.pad_px=4"], "data.pad_px=4: coco makes no use of it"),
        ([*COCO, "data.decode=gpu"], "coco is decoded on the CPU; leave it out"),
        ([*COCO, "recipe.cutout_px=8"], "cutout is for sets in memory"),
        ([*COCO, "recipe.epoch_steps=0"], "recipe.epoch_steps"),
        ([*COCO, "recipe.schedule.warmup_shape=steep"], "give flat or linear"),
        ([*SHAPES, "recipe.schedule.kind=plateau"], "detection measures none there"),
        ([*SHAPES, "trainer.compile=true"], "give trainer.compile=false"),
        ([*COCO, "model.options.fpn=false"], "model.options.fpn is not offered: every detector"),
        ([*COCO, "detection.freeze=2"], "did you mean 'detection.freeze_at'?"),
        ([*SHAPES, "data.eval_resize_sides=both"], "shapes makes no use of it; leave it out"),
        (
            [*SHAPES, "recipe.label_smoothing=0.1"],
            "changes nothing for task=detection: leave it out",
        ),
        ([*SHAPES, "data.decode=gpu"], "shapes lies decoded in memory; leave it out"),
        ([*SHAPES, "trainer.graph=true"], "those of objects differ: give trainer.graph=false"),
        ([*SHAPES, "detection.anchor_px=[64,32,16]"], "give rising sides"),
        (["data.most_px=64"], "data.most_px=64: digits makes no use of it"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        compose(words)
    assert message in str(error.value)


def test_frozen_layers_need_first_weights_to_keep() -> None:
    require_first_weights(compose(SHAPES))
    require_first_weights(compose([]))
    for kept in ("detection.freeze_at=2", "detection.batch_norm=frozen"):
        with pytest.raises(ConfigError, match=r"there are none: give init\.weights=FILE"):
            require_first_weights(compose([*SHAPES, kept]))


def test_the_settings_of_a_detector_identify_its_runs_and_no_others() -> None:
    run = compose(SHAPES)
    identity = build_identity(run)
    assert identity["detection"]["box_beta"] == 1.0
    assert identity["data"]["most_px"] == 96
    other = compose([*SHAPES, "detection.box_beta=0.111"])
    assert run_key(run) != run_key(other)
    of_classes = build_identity(compose([]))
    assert "detection" not in of_classes
    assert "most_px" not in of_classes["data"]
    assert not {"epoch_steps"} & of_classes["recipe"].keys()
    assert "warmup_shape" not in build_identity(compose(["recipe=resnet110"]))["recipe"]["schedule"]


def test_the_pyramid_is_built_of_all_stages_unless_some_are_named() -> None:
    assert list_pyramid_stages(compose(COCO)) == [2, 3, 4, 5]
    assert list_pyramid_stages(compose(SHAPES)) == [3, 4]


def test_the_recipe_is_detectrons_to_the_step() -> None:
    recipe = compose(COCO).recipe
    assert recipe.epoch_steps is not None
    assert recipe.epochs * recipe.epoch_steps == recipe.schedule.length == 180_000
    assert recipe.epoch_steps * recipe.batch_size <= 117_266
    assert (recipe.lr, recipe.weight_decay, recipe.batch_size) == (0.02, 1e-4, 16)
