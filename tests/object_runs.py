"""Finished runs of detection on drawn shapes, as they lie in a results folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from senet_repro.data.object_set import ObjectSet
from senet_repro.data.shapes import draw_shapes
from senet_repro.results.detections import Detections, FoundObjects
from senet_repro.results.epochs import append_epoch
from senet_repro.results.record import Record, write_record
from senet_repro.tasks.detection.average_precision import measure_average_precision
from senet_repro.tasks.detection.detection_log import join_truth
from senet_repro.tasks.detection.examples import IllustratedDetections
from tests.detections import count_up
from tests.records import make_record

IMAGES = 6


def find_most(images: ObjectSet, seed: int = 0) -> Detections:
    """What a detector might find: most objects nearly where they are, one of another class, and one of nothing."""
    draw = np.random.default_rng(seed)
    objects = images.objects
    is_found = draw.random(len(objects.labels)) < 0.7
    boxes = objects.boxes + draw.normal(0, 1.0, objects.boxes.shape)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 2)
    labels = objects.labels.copy()
    labels[draw.random(len(labels)) < 0.2] = 0
    scores = draw.uniform(0.3, 1, len(labels))
    counts = [int(is_found[rows].sum()) for rows in map(objects.find_rows, range(len(images)))]
    found = FoundObjects(
        offsets=count_up(counts),
        boxes=boxes[is_found],
        labels=labels[is_found],
        scores=scores[is_found],
    )
    return join_truth(images, found)


def write_detector(results_dir: Path, stages: str, seed: int) -> Record:
    """Write a finished run of a row of Table 7 on drawn shapes, with its detections and pictures."""
    overrides = ["+experiment=coco", "protocol=shapes", "model=resnet50", f"stages={stages}"]
    record = make_record(overrides, seed=seed, top1=0.0, eval_images=IMAGES)
    images = draw_shapes("val", IMAGES)
    detections = find_most(images, seed)
    folder = results_dir / f"{record.name}-{record.run_key[:8]}" / f"seed{seed}"
    folder.mkdir(parents=True)
    IllustratedDetections(detections, images).write_into(folder)
    metrics = measure_average_precision(detections)
    for epoch in (1, 2):
        append_epoch(folder, {"epoch": epoch, **metrics})
    record = replace(
        record,
        task="detection",
        metrics={**metrics, "best_ap_pct": metrics["ap_pct"], "best_ap50_pct": metrics["ap50_pct"]},
        outcomes=detections.summarise(),
        folder=folder,
    )
    write_record(folder, record)
    return record
