"""COCO's annotations as arrays: as they are stated, and whatever cannot be is named with its file, entry and mend."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from senet_repro.config.paper_tables import compose_cached
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.data.coco import load_coco, load_coco_part
from senet_repro.data.object_set import find_corners, select_trainable
from senet_repro.data.pixel_stats import sum_training_pixels
from tests.coco_sets import (
    CROWD,
    EMPTY,
    FLAT,
    FULL,
    FULL_COUNT,
    OVER_THE_EDGE,
    change_annotations,
    find_annotations,
    list_images,
    make_coco,
)
from tests.conftest import SHARED_DATA

SAMPLE = SHARED_DATA / "coco-sample"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_coco(tmp_path_factory.mktemp("coco"))


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def describe_set(root: Path, **changes: Any) -> Data:
    data = compose_cached("+experiment=coco").data
    return replace(data, **{"root": str(root), "classes": 3, **changes})


@pytest.mark.parametrize("part", ["train", "val"])
def test_arrays_hold_what_the_annotations_state(made: Path, part: str) -> None:
    images = load_coco_part(describe_set(made), part)
    said = json.loads(find_annotations(made, part).read_text())
    listed = list_images(made, part)
    assert images.image_ids.tolist() == [image["id"] for image in listed]
    assert images.sizes.tolist() == [[image["height"], image["width"]] for image in listed]
    assert images.category_ids.tolist() == [1, 3, 7]
    assert images.category_names == ("cat", "dog", "hat")
    for index, image in enumerate(listed):
        stated = [entry for entry in said["annotations"] if entry["image_id"] == image["id"]]
        rows = images.objects.find_rows(index)
        assert images.objects.boxes[rows].tolist() == [entry["bbox"] for entry in stated]
        assert images.objects.areas[rows].tolist() == [entry["area"] for entry in stated]
        assert images.objects.is_crowd[rows].tolist() == [bool(e["iscrowd"]) for e in stated]
        labels = images.objects.labels[rows]
        assert images.category_ids[labels].tolist() == [e["category_id"] for e in stated]
        picture = images.load_picture(index)
        assert picture.shape == (3, image["height"], image["width"])


def test_training_leaves_out_what_shows_nothing_to_learn_and_evaluation_keeps_all(
    made: Path,
) -> None:
    train, evaluation = load_coco(describe_set(made))
    counts = evaluation.objects.count_by_picture()
    assert len(evaluation) == 8
    assert (counts[EMPTY], counts[FULL]) == (0, FULL_COUNT)
    assert evaluation.objects.is_crowd.sum() == 1
    trained = select_trainable(train)
    assert trained.image_ids.tolist() == np.delete(train.image_ids, EMPTY).tolist()
    assert not trained.objects.is_crowd.any()
    lost = np.delete(train.objects.count_by_picture(), EMPTY) - trained.objects.count_by_picture()
    # The picture without objects comes before one of these two.
    assert np.flatnonzero(lost).tolist() == [CROWD, FLAT - 1]
    over = trained.objects.boxes[trained.objects.find_rows(OVER_THE_EDGE - 1)]
    size = trained.sizes[OVER_THE_EDGE - 1]
    assert find_corners(over)[-1].tolist() == [51.5, -4.25, 81.5, 23.75]
    assert find_corners(over, size)[-1].tolist() == [51.5, 0, 72, 23.75]


Change = Callable[[dict[str, Any]], object]


def set_first(entries: str, **values: Any) -> Change:
    """Change the entry with the least id."""
    return lambda said: min(said[entries], key=lambda entry: entry["id"]).update(values)


def drop_key(entries: str, key: str) -> Change:
    return lambda said: said[entries][0].pop(key)


def repeat_first(entries: str) -> Change:
    return lambda said: said[entries].append(dict(said[entries][0]))


DAMAGES: list[tuple[Change, str]] = [
    (
        set_first("annotations", image_id=12),
        "annotation 101 has the image_id 12, which is not listed",
    ),
    (set_first("annotations", category_id=2), "annotation 101 has the category_id 2, which is not"),
    (set_first("annotations", bbox=[1, 2, 3]), "annotation 101 has a bbox that is not of four"),
    (set_first("annotations", bbox=[1, 2, 3, "4"]), "annotation 101 has a bbox that is not of"),
    (set_first("annotations", bbox=[1, 2, 3, True]), "annotation 101 has a bbox that is not of"),
    (set_first("annotations", bbox=[1, 2, 3, float("nan")]), "annotation 101 has a bbox without"),
    (set_first("annotations", bbox=[1, 2, 3, 1e308]), "has a bbox beyond 1,000,000 px"),
    (set_first("annotations", bbox=[9, 2, -3, 4]), "has a bbox with a side below 0 px"),
    (set_first("annotations", area=-1), "annotation 101 has an area below 0"),
    (set_first("annotations", bbox=None), "annotation 101 has no bbox that can be read"),
    (set_first("annotations", area="9"), "annotation 101 has no area that can be read"),
    (set_first("annotations", area=float("inf")), "annotation 101 has an area without an end"),
    (set_first("annotations", id=2**70), "holds a number that is too large"),
    (set_first("annotations", image_id=11.0), "annotation 101 has no image_id that can be read"),
    (drop_key("annotations", "category_id"), r"annotation \d+ has no category_id that can be"),
    (drop_key("annotations", "id"), "annotation number 1 has no id that can be read"),
    (repeat_first("annotations"), r"lists annotation \d+ twice"),
    (repeat_first("images"), r"lists image \d+ twice"),
    (repeat_first("categories"), "lists category 7 twice"),
    (set_first("images", width=0), "image 11 has a side below 1 px"),
    (set_first("images", file_name="../11.jpg"), "image 11 has a file_name that no file can have"),
    (set_first("images", file_name="\ud800"), "image 11 has a file_name that no file can have"),
    (set_first("images", file_name="none.jpg"), "no none.jpg, which instances_train2017.json"),
    (lambda said: said.update(images=[]), "lists no images"),
    (lambda said: said.update(categories={}), "has no list of categories"),
    (lambda said: said["annotations"].insert(3, 7), "annotation number 4, which is no object"),
    (lambda said: said["categories"][0].update(name="cap"), "have different categories"),
]


@pytest.mark.parametrize(("change", "message"), DAMAGES)
def test_what_cannot_be_is_named(root: Path, change: Change, message: str) -> None:
    change_annotations(root, "train", change)
    with pytest.raises(DataError, match=message) as caught:
        load_coco(describe_set(root))
    assert "instances_train2017.json" in str(caught.value)
    assert "fetch" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b'{"images": [', b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_json_is_named(root: Path, content: bytes) -> None:
    find_annotations(root, "val").write_bytes(content)
    with pytest.raises(DataError, match=r"instances_val2017\.json .*: fetch the annotations again"):
        load_coco_part(describe_set(root), "val")


def test_what_is_left_unsaid_has_its_default(root: Path) -> None:
    def drop(said: dict[str, Any]) -> None:
        for entry in said["annotations"]:
            del entry["area"], entry["iscrowd"]
            # COCO's own masks, which nothing here needs.
            entry["segmentation"] = [[1.0, 2.0]]

    change_annotations(root, "val", drop)
    objects = load_coco_part(describe_set(root), "val").objects
    assert not objects.is_crowd.any()
    assert objects.areas.tolist() == (objects.boxes[:, 2] * objects.boxes[:, 3]).tolist()


def test_more_categories_than_classes_are_refused_and_fewer_are_not(made: Path) -> None:
    load_coco_part(describe_set(made, classes=80), "val")
    with pytest.raises(DataError, match=r"has 3 categories: give data\.classes=3"):
        load_coco_part(describe_set(made, classes=2), "val")


def test_a_picture_of_another_size_is_refused_by_both_sizes(root: Path) -> None:
    change_annotations(root, "val", set_first("images", width=97))
    images = load_coco_part(describe_set(root), "val")
    with pytest.raises(DataError, match=r"11\.jpg is 96x72 px, and its .*image 11\) states 97x72"):
        images.load_picture(0)


def test_pictures_that_are_to_be_left_out_may_be_missing(root: Path) -> None:
    missing = root / "val2017" / str(list_images(root, "val")[2]["file_name"])
    missing.unlink()
    images = load_coco_part(describe_set(root, skip_corrupt=True), "val")
    left = images.leave_out([str(missing)])
    assert left.skipped == (str(missing),)
    assert left.image_ids.tolist() == np.delete(images.image_ids, 2).tolist()
    assert left.objects.offsets[-1] == len(left.objects.boxes) == images.objects.offsets[-1]
    names = [images.pictures.name_picture(index) for index in range(len(images))]
    with pytest.raises(DataError, match=r"no picture can be read, such as .*11\.jpg"):
        images.leave_out(names)


def test_the_mean_of_its_training_pictures_is_that_of_their_pixels(made: Path) -> None:
    images = load_coco_part(describe_set(made), "train")
    pixels = torch.cat([images.load_picture(i).flatten(1) for i in range(len(images))], dim=1)
    sums = sum_training_pixels(describe_set(made), 0, lambda _done, _total: None)
    assert (sums.images, sums.pixels) == (12, 12 * 96 * 72)
    assert sums.mean == pytest.approx(pixels.double().mean(1).tolist())


@pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"no pictures of COCO in {SAMPLE}")
def test_real_pictures_are_read() -> None:
    train, evaluation = load_coco(describe_set(SAMPLE, classes=80))
    assert (len(train), len(evaluation), len(train.category_ids)) == (64, 64, 80)
    assert (len(train.objects.boxes), len(evaluation.objects.boxes)) == (542, 440)
    # Person and bicycle are the first, and 90 the last of ids that skip ten.
    assert (train.category_ids[0], train.category_ids[-1]) == (1, 90)
    assert train.category_names[:2] == ("person", "bicycle")
    trained = select_trainable(train)
    assert len(trained) == 63
    for images in (trained, evaluation):
        for index in range(0, len(images), 8):
            assert images.load_picture(index).float().std() > 10
