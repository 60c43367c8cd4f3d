"""Runs of detection that cannot be, or whose settings would change nothing, are refused with the mend."""

from __future__ import annotations

import pytest

from senet_repro.config.composition import compose
from senet_repro.core.errors import ConfigError


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data=digits", "digits has classes: give data=coco or data=shapes"),
        ("task=classification", "shapes holds pictures with boxes: give task=detection"),
        ("data.eval_resize_sides=both", "shapes makes no use of it; leave it out"),
        ("data.most_px=95", "data.most_px=95 the most of the longer one: give data.most_px=96"),
        ("detection.batch_norm=none", "detection.batch_norm=none: give frozen or trained"),
        ("detection.freeze_at=5", "resnet11 has the stages 2, 3 and 4; give the last one to keep"),
        ("detection.pyramid_stages=[4,3]", "give rising stages of resnet11, which has 2, 3 and 4"),
        ("detection.anchor_px=[16]", "give 3 sides, one for each of 2 stages and one for the map"),
        ("recipe.label_smoothing=0.1", "changes nothing for task=detection: leave it out"),
        ("recipe.schedule.kind=plateau", "detection measures none there: give step or cosine"),
        ("data.decode=gpu", "shapes lies decoded in memory; leave it out"),
        ("trainer.graph=true", "those of objects differ: give trainer.graph=false"),
        ("trainer.compile=true", "give trainer.compile=false"),
    ],
)
def test_a_setting_that_detection_does_not_have_is_refused_with_the_mend(
    override: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        compose(["+experiment=coco", "protocol=shapes", override])
    assert message in str(error.value)


def test_settings_of_a_detector_are_refused_for_another_task() -> None:
    with pytest.raises(ConfigError, match=r"detection\.\* changes nothing for task=classification"):
        compose(["detection.freeze_at=3"])
