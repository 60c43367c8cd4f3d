"""A detector that is shown few real pictures again and again learns them: its losses, boxes and classes agree."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from senet_repro.config.composition import compose
from senet_repro.execution.execute import train_to_record
from tests.conftest import SHARED_DATA
from tests.training.runs import silent

COCO_SAMPLE = SHARED_DATA / "coco-sample"
PICTURES = 16
# Of a picture's area: what is smaller is a few pixels at the size that the test can afford.
LEAST_SHARE = 0.04


def select_large(content: dict[str, Any]) -> dict[str, Any]:
    """The first pictures whose objects are all large, and their annotations."""
    areas = defaultdict(list)
    for annotation in content["annotations"]:
        _, _, width, height = annotation["bbox"]
        areas[annotation["image_id"]].append(width * height)
    images = []
    for image in sorted(content["images"], key=lambda image: image["id"]):
        least = LEAST_SHARE * image["height"] * image["width"]
        if image["id"] in areas and min(areas[image["id"]]) > least:
            images.append(image)
    kept = {image["id"] for image in images[:PICTURES]}
    annotations = [each for each in content["annotations"] if each["image_id"] in kept]
    return {**content, "images": images[:PICTURES], "annotations": annotations}


@pytest.mark.lengthy
@pytest.mark.usefixtures("one_thread")
@pytest.mark.skipif(not COCO_SAMPLE.is_dir(), reason="the sample of COCO is not here")
def test_sixteen_real_pictures_are_learned_by_heart(tmp_path: Path) -> None:
    source = COCO_SAMPLE / "annotations" / "instances_train2017.json"
    selected = select_large(json.loads(source.read_text()))
    assert len(selected["images"]) == PICTURES
    root = tmp_path / "set"
    (root / "annotations").mkdir(parents=True)
    # Evaluated are the pictures that were trained on.
    for part in ("train2017", "val2017"):
        (root / "annotations" / f"instances_{part}.json").write_text(json.dumps(selected))
        (root / part).symlink_to(COCO_SAMPLE / "train2017")
    run = compose(
        [
            "+experiment=coco",
            "protocol=shapes",
            "data=coco",
            f"data.root={root}",
            "data.train_px=128",
            "data.eval_px=128",
            "data.most_px=192",
            "data.flip=false",
            "detection.anchor_px=[32,64,128]",
            "detection.sampled_regions=64",
            "recipe.batch_size=4",
            "recipe.epochs=80",
            "trainer.num_workers=0",
            f"results_dir={tmp_path / 'runs'}",
        ]
    )
    _, record = train_to_record(run, silent)
    assert record.metrics["ap50_pct"] > 50
