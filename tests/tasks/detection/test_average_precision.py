"""Average precision is pycocotools' own, in each corner of COCO's rules; what cannot be measured is left out."""

from __future__ import annotations

import contextlib
import copy
import io
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from senet_repro.core.errors import ConfigError, DataError
from senet_repro.results.detections import Detections
from senet_repro.tasks.detection.average_precision import measure_average_precision
from senet_repro.tasks.detection.metrics import METRICS
from tests.detections import Find, Picture, Truth, draw_detections, make_detections

NAMES = [metric.name for metric in METRICS]
SMALL, MEDIUM, LARGE = (5.0, 5.0, 20.0, 20.0), (60.0, 5.0, 50.0, 60.0), (200.0, 50.0, 200.0, 150.0)


def measure_by_pycocotools(detections: Detections) -> list[float]:
    """The first six figures of pycocotools, from dictionaries of its own form that are made one row at a time."""
    truth: dict[str, Any] = {
        "images": [
            {"id": int(number), "height": int(height), "width": int(width)}
            for number, (height, width) in zip(detections.image_ids, detections.sizes, strict=True)
        ],
        "categories": [{"id": int(number)} for number in detections.category_ids],
        "annotations": [],
    }
    found: list[dict[str, Any]] = []
    for place, image in enumerate(detections.image_ids):
        true, finds = detections.true, detections.found
        for row in range(true.offsets[place], true.offsets[place + 1]):
            truth["annotations"].append(
                {
                    "id": len(truth["annotations"]) + 1,
                    "image_id": int(image),
                    "category_id": int(detections.category_ids[true.labels[row]]),
                    "bbox": [float(side) for side in true.boxes[row]],
                    "area": float(true.areas[row]),
                    "iscrowd": int(true.is_crowd[row]),
                }
            )
        for row in range(finds.offsets[place], finds.offsets[place + 1]):
            found.append(
                {
                    "image_id": int(image),
                    "category_id": int(detections.category_ids[finds.labels[row]]),
                    "bbox": [float(side) for side in finds.boxes[row]],
                    "score": float(finds.scores[row]),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(found)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(figure) for figure in evaluation.stats[:6]]


def shift(box: Sequence[float], by: float) -> tuple[float, float, float, float]:
    return (box[0] + by, box[1], box[2], box[3])


def picture_with_many(objects: int, finds: int) -> Picture:
    """A row of equal objects of one category, and as many finds with ties in their scores, nearly where they are."""
    truths = [Truth((4.0 * place, 10.0, 30.0, 40.0), 0) for place in range(objects)]
    found = [
        Find((4.0 * place + place % 5, 11.0, 30.0, 40.0), 0, 1 - (place % 13) / 20)
        for place in range(finds)
    ]
    return truths, found


CROWDED: Picture = (
    [Truth(LARGE, 0, is_crowd=True), Truth(SMALL, 0), Truth(MEDIUM, 1)],
    [
        Find(LARGE, 0, 0.9),
        Find(shift(LARGE, 20), 0, 0.8),
        Find((210.0, 60.0, 20.0, 20.0), 0, 0.7),
        Find(SMALL, 0, 0.6),
        Find(shift(MEDIUM, 3), 1, 0.6),
    ],
)
EMPTY: Picture = ([], [Find(SMALL, 0, 0.99), Find(LARGE, 1, 0.4)])
UNSEEN: Picture = ([Truth(SMALL, 2), Truth(LARGE, 3)], [])
TIED: Picture = (
    [Truth(MEDIUM, 1), Truth(shift(MEDIUM, 10), 1)],
    [Find(MEDIUM, 1, 0.5), Find(MEDIUM, 1, 0.5), Find(shift(MEDIUM, 8), 1, 0.5)],
)
OTHER_CLASS: Picture = ([Truth(LARGE, 3)], [Find(LARGE, 2, 0.95), Find(shift(LARGE, 9), 3, 0.3)])
# By their boxes both are large; by their masks one is small.
OTHER_AREA: Picture = (
    [Truth(LARGE, 0, area=700.0), Truth(shift(LARGE, 210), 0, area=5000.0)],
    [Find(LARGE, 0, 0.8), Find(shift(LARGE, 211), 0, 0.8)],
)
PICTURES = [CROWDED, EMPTY, UNSEEN, TIED, OTHER_CLASS, OTHER_AREA, picture_with_many(130, 150)]


@pytest.mark.parametrize(
    "detections",
    [
        make_detections(PICTURES),
        *(make_detections([CROWDED, picture]) for picture in PICTURES),
        draw_detections(),
        draw_detections(images=6, objects=120, finds=260, categories=2, seed=1),
    ],
)
def test_figures_are_those_of_pycocotools(
    detections: Detections, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = measure_by_pycocotools(detections)
    measured = measure_average_precision(detections)
    assert capfd.readouterr() == ("", "")
    assert list(measured) == [
        name for name, share in zip(NAMES, expected, strict=True) if share != -1
    ]
    for name, share in zip(NAMES, expected, strict=True):
        if share != -1:
            assert measured[name] == pytest.approx(100 * share, abs=1e-9)


def test_the_figures_of_a_random_set_say_something() -> None:
    measured = measure_average_precision(draw_detections())
    assert list(measured) == NAMES
    assert all(2 < figure < 98 for figure in measured.values())


def test_all_found_is_a_hundred_percent_and_nothing_found_is_none() -> None:
    truths = [Truth(SMALL, 0), Truth(MEDIUM, 1), Truth(LARGE, 2)]
    finds = [Find(truth.box, truth.label, 0.9) for truth in truths]
    assert measure_average_precision(make_detections([(truths, finds)])) == pytest.approx(
        dict.fromkeys(NAMES, 100.0)
    )
    assert measure_average_precision(make_detections([(truths, [])])) == dict.fromkeys(NAMES, 0.0)


def test_a_size_that_no_object_has_is_left_out() -> None:
    measured = measure_average_precision(make_detections([([Truth(LARGE, 0)], [])]))
    assert measured == {"ap_pct": 0, "ap50_pct": 0, "ap75_pct": 0, "ap_large_pct": 0}


@pytest.mark.parametrize("truths", [[], [Truth(LARGE, 0, is_crowd=True)]])
def test_a_set_without_an_object_that_counts_is_refused(truths: list[Truth]) -> None:
    with pytest.raises(DataError, match="no evaluation picture has an object that counts"):
        measure_average_precision(make_detections([(truths, [Find(LARGE, 0, 0.9)])]))


def test_without_the_library_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(ConfigError, match=r"pip install 'senet-repro\[coco\]'"):
        measure_average_precision(draw_detections(images=2))


def test_the_order_of_images_with_equal_scores_is_that_of_the_set() -> None:
    detections = make_detections([TIED, TIED, CROWDED, TIED])
    assert np.all(np.diff(detections.image_ids) > 0)
    expected = measure_by_pycocotools(detections)
    assert measure_average_precision(detections)["ap_pct"] == pytest.approx(
        100 * expected[0], abs=1e-9
    )
