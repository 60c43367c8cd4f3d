"""Found objects are those of the set in its order, however the images are dealt out to processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from senet_repro.data.object_set import DrawnPictures, Objects, ObjectSet
from senet_repro.results.detections import Detections
from senet_repro.tasks.detection.detection_log import DetectionLog, merge_shares
from tests.conftest import ROOT
from tests.detections import draw_detections

CPU = torch.device("cpu")


def build_set(drawn: Detections) -> ObjectSet:
    """Return the set that detections were drawn for."""
    return ObjectSet(
        image_ids=drawn.image_ids,
        sizes=drawn.sizes,
        category_ids=drawn.category_ids,
        category_names=drawn.category_names,
        objects=Objects(**vars(drawn.true)),
        pictures=DrawnPictures(np.zeros((len(drawn.image_ids), 3, 1, 1), np.uint8)),
    )


def fill_log(drawn: Detections, rank: int, processes: int) -> DetectionLog:
    """Return the log of a process, to which its images come in another order than the set's."""
    log = DetectionLog(CPU)
    found = drawn.found
    for index in reversed(range(rank, len(drawn.image_ids), processes)):
        rows = slice(found.offsets[index], found.offsets[index + 1])
        boxes = torch.from_numpy(found.boxes[rows].astype(np.float64))
        corners = torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)
        labels = torch.from_numpy(found.labels[rows].astype(np.int64))
        log.add_image(index, corners, labels, torch.from_numpy(found.scores[rows]))
    return log


def test_a_single_process_has_all_of_the_set() -> None:
    drawn = draw_detections(images=9)
    gathered = fill_log(drawn, 0, 1).gather_detections(1, build_set(drawn))
    assert gathered.digest == drawn.digest


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("images", [1, 2, 7])
def test_each_image_is_at_its_place_on_any_number_of_processes(images: int, processes: int) -> None:
    draw = np.random.default_rng(images)
    counts = draw.integers(0, 4, images)
    places = np.repeat(np.arange(images), counts)
    rows = np.column_stack([places, draw.random((len(places), 6))]).astype(float)
    shares = [rows[places % processes == rank] for rank in range(processes)]
    found = merge_shares(shares, images)
    assert found.offsets.tolist() == [0, *counts.cumsum()]
    assert found.scores.tolist() == rows[:, 2].tolist()
    assert found.boxes.tolist() == rows[:, 3:].tolist()


def test_corners_become_sides_in_the_precision_of_the_network() -> None:
    log = DetectionLog(CPU)
    corners = torch.tensor([[0.1, 0.2, 100.3, 50.7]])
    log.add_image(0, corners, torch.tensor([2]), torch.tensor([0.7]))
    drawn = draw_detections(images=1)
    found = log.gather_detections(1, build_set(drawn)).found
    sides = corners[:, 2:] - corners[:, :2]
    assert found.boxes.tolist() == torch.cat([corners[:, :2], sides], dim=1).tolist()
    assert found.scores.tolist() == torch.tensor([0.7]).tolist()
    assert found.labels.tolist() == [2]


def test_nothing_found_is_no_object_and_neither_is_a_box_that_overflowed() -> None:
    drawn = draw_detections(images=3)
    log = DetectionLog(CPU)
    assert len(log.gather_detections(1, build_set(drawn)).found.labels) == 0
    nothing = torch.empty(0, 4)
    log.add_image(0, nothing, torch.empty(0, dtype=torch.int64), torch.empty(0))
    boxes = torch.tensor([[0, 0, 5, 5], [0, 0, torch.inf, 5], [0, 0, 4, 4]])
    log.add_image(1, boxes, torch.tensor([0, 1, 2]), torch.tensor([0.5, 0.9, torch.nan]))
    found = log.gather_detections(1, build_set(drawn)).found
    assert found.labels.tolist() == [0]
    assert found.offsets.tolist() == [0, 0, 1, 1]


def test_outputs_that_no_category_of_the_set_has_find_nothing() -> None:
    drawn = draw_detections(images=1)
    outputs = torch.tensor([0, len(drawn.category_ids)])
    log = DetectionLog(CPU)
    log.add_image(0, torch.tensor([[0, 0, 5, 5], [0, 0, 4, 4]]), outputs, torch.tensor([0.5, 0.9]))
    assert log.gather_detections(1, build_set(drawn)).found.labels.tolist() == [0]


# The second of two processes, given the folder in which they meet; the test is the first.
SECOND = """
import sys
from tests.tasks.detection.test_detection_log import gather_both

gather_both(1, sys.argv[1])
"""


def gather_both(rank: int, folder: str) -> None:
    """Gather a set of one image, of which the second process has none, and then one of five."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    for images in (1, 5):
        drawn = draw_detections(images=images)
        log = fill_log(drawn, rank, 2)
        gathered = log.gather_detections(2, build_set(drawn))
        # Each process has all of it.
        assert gathered.digest == drawn.digest
    dist.destroy_process_group()


@pytest.mark.slow
def test_processes_gather_alike_and_none_waits_for_one_without_images(tmp_path: Path) -> None:
    second = subprocess.Popen([sys.executable, "-c", SECOND, str(tmp_path)], cwd=ROOT)
    gather_both(0, str(tmp_path))
    assert second.wait(timeout=120) == 0
