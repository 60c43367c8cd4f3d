"""Average precision as COCO defines it, from detections in memory (tasks floor; no torch).

faster-coco-eval counts; its figures are those of pycocotools: at most 100 detections of a category and image, crowds
match any number of detections and count as neither found nor missed, and an object's size is its annotated area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from senet_repro.config.detection import require_ap_library
from senet_repro.core.errors import DataError
from senet_repro.results.detections import Detections, FoundObjects, TrueObjects
from senet_repro.tasks.detection.metrics import METRICS

if TYPE_CHECKING:
    import numpy as np

# The library's first six figures, in its order, are our metrics; it gives this one where nothing can be measured.
_NO_OBJECTS = -1


def measure_average_precision(detections: Detections) -> dict[str, float]:
    """Return each metric of detection in percent, by its name.

    A metric of a size that no object of the set has is left out, as nothing can be said about it.

    Raises:
        ConfigError: the library is not installed.
        DataError: the set has no object that counts.
    """
    require_ap_library()
    # Late, since tables and verdicts need only the names of the metrics.
    from faster_coco_eval import COCO, COCOeval_faster

    evaluation = COCOeval_faster(
        COCO(_describe_truth(detections), print_function=_drop_line),
        COCO(_describe_found(detections), print_function=_drop_line),
        iouType="bbox",
        print_function=_drop_line,
    )
    evaluation.run()
    shares = [float(share) for share in evaluation.stats[: len(METRICS)]]
    if shares[0] == _NO_OBJECTS:
        raise DataError(
            "no evaluation picture has an object that counts, so that there is no average precision: give a set whose "
            "annotations have objects that are no crowds"
        )
    return {
        metric.name: 100 * share
        for metric, share in zip(METRICS, shares, strict=True)
        if share != _NO_OBJECTS
    }


def _describe_truth(detections: Detections) -> dict[str, Any]:
    """Return images, categories and true objects as COCO's annotation files hold them."""
    true = detections.true
    annotations = _list_objects(detections, true)
    for annotation, area, is_crowd in zip(
        annotations, true.areas.tolist(), true.is_crowd.tolist(), strict=True
    ):
        annotation["area"] = area
        annotation["iscrowd"] = int(is_crowd)
    return _describe_set(detections, annotations)


def _describe_found(detections: Detections) -> dict[str, Any]:
    """Return the same with the found objects, whose areas are those of their boxes."""
    found = detections.found
    # In float64, as pycocotools multiplies.
    sides = found.boxes[:, 2:].astype(float)
    areas = sides[:, 0] * sides[:, 1]
    annotations = _list_objects(detections, found)
    for annotation, area, score in zip(
        annotations, areas.tolist(), found.scores.tolist(), strict=True
    ):
        annotation["area"] = area
        annotation["score"] = score
    return _describe_set(detections, annotations)


def _list_objects(
    detections: Detections, objects: TrueObjects | FoundObjects
) -> list[dict[str, Any]]:
    """Return what true and found objects have in common: an id from 1 on, image, category and box."""
    counts = objects.offsets[1:] - objects.offsets[:-1]
    images = _repeat_each(detections.image_ids, counts)
    categories = detections.category_ids[objects.labels].tolist()
    boxes = objects.boxes.tolist()
    return [
        # The library takes an id of 0 for no match.
        {"id": number, "image_id": image, "category_id": category, "bbox": box}
        for number, (image, category, box) in enumerate(
            zip(images, categories, boxes, strict=True), 1
        )
    ]


def _repeat_each(ids: np.ndarray, counts: np.ndarray) -> list[int]:
    repeated: list[int] = ids.repeat(counts).tolist()
    return repeated


def _describe_set(detections: Detections, annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return images and categories with annotations."""
    return {
        "images": [{"id": image} for image in detections.image_ids.tolist()],
        "categories": [{"id": category} for category in detections.category_ids.tolist()],
        "annotations": annotations,
    }


def _drop_line(*_line: object) -> None:
    """Print nothing: what the library says of its progress is of no use to a run."""
