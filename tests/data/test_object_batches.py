"""Batches of pictures with boxes: flips and order by (seed, epoch) alone, resumed, and what is wrong named."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from senet_repro.config.paper_tables import compose_cached
from senet_repro.core.errors import DataError, RunFailed
from senet_repro.data import object_batches
from senet_repro.data.coco import load_coco
from senet_repro.data.collate import NoSharedMemory
from senet_repro.data.grouped_steps import GroupedTrainSteps
from senet_repro.data.object_batches import ObjectBatch, ObjectBatches, TrainObjectBatches
from senet_repro.data.object_set import (
    DrawnPictures,
    Objects,
    ObjectSet,
    PictureFiles,
    select_trainable,
)
from senet_repro.data.order import EvalSteps, Share
from tests.coco_sets import EMPTY, make_coco

WHOLE = Share()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_coco(tmp_path_factory.mktemp("coco"))


def read_sets(root: Path) -> tuple[ObjectSet, ObjectSet]:
    data = replace(compose_cached("+experiment=coco").data, root=str(root))
    train, evaluation = load_coco(data)
    return select_trainable(train), evaluation


def train_epoch(
    images: ObjectSet, workers: int = 0, epoch: int = 0, taken: int = 0, flip: bool = True
) -> list[ObjectBatch]:
    steps = GroupedTrainSteps(images.is_wide, 2, 5, Share())
    batches = TrainObjectBatches(images, steps, 5, workers, pin_memory=False, flip=flip)
    batches.set_epoch(epoch)
    steps.resume_at(epoch, taken)
    try:
        return list(batches)
    finally:
        batches.close_workers()


def eval_epoch(
    images: ObjectSet, workers: int = 0, share: Share = WHOLE, batch_size: int = 4
) -> list[ObjectBatch]:
    steps = EvalSteps(len(images), batch_size, share)
    batches = ObjectBatches(images, steps, 5, workers, pin_memory=False)
    try:
        return list(batches)
    finally:
        batches.close_workers()


def are_equal(left: Sequence[ObjectBatch], right: Sequence[ObjectBatch]) -> bool:
    return [write_batch(batch) for batch in left] == [write_batch(batch) for batch in right]


def write_batch(batch: ObjectBatch) -> list[object]:
    tensors = [*batch.images, *batch.boxes, *batch.labels]
    return [batch.indices, *((tensor.dtype, tensor.tolist()) for tensor in tensors)]


def test_evaluation_sees_each_picture_once_in_order_as_it_is_stated(made: Path) -> None:
    _, images = read_sets(made)
    batches = eval_epoch(images)
    assert [batch.indices for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    found = [tuple(zip(*batch[:3], strict=True)) for batch in batches]
    pictures = [picture for batch in found for picture in batch]
    for index, (image, boxes, labels) in enumerate(pictures):
        assert torch.equal(image, images.load_picture(index))
        stated = images.objects.boxes[images.objects.find_rows(index)]
        corners = np.concatenate([stated[:, :2], stated[:, :2] + stated[:, 2:]], axis=1)
        assert boxes.dtype == torch.float32
        assert boxes.tolist() == corners.astype(np.float32).tolist()
        assert labels.tolist() == images.objects.labels[images.objects.find_rows(index)].tolist()
    assert pictures[EMPTY][1].shape == (0, 4)
    assert pictures[EMPTY][2].dtype == torch.int64


@pytest.mark.parametrize("world_size", [1, 3, 4])
def test_the_processes_of_an_evaluation_share_its_pictures(made: Path, world_size: int) -> None:
    _, images = read_sets(made)
    for rank in range(world_size):
        batches = eval_epoch(images, share=Share(rank, world_size), batch_size=world_size * 2)
        mine = [index for batch in batches for index in batch.indices]
        assert mine == list(range(rank, 8, world_size))


def test_workers_load_what_this_process_would(made: Path) -> None:
    train, evaluation = read_sets(made)
    assert are_equal(train_epoch(train, 1, epoch=2), train_epoch(train, 0, epoch=2))
    assert are_equal(eval_epoch(evaluation, 2), eval_epoch(evaluation, 0))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_epoch_gives_the_batches_that_were_left(made: Path, workers: int) -> None:
    train, _ = read_sets(made)
    whole = train_epoch(train, epoch=1)
    assert are_equal(train_epoch(train, workers, epoch=1, taken=2), whole[2:])
    assert not are_equal(train_epoch(train, epoch=0), whole)


def test_each_flip_is_exact_and_drawn_anew_in_each_epoch(made: Path) -> None:
    train, _ = read_sets(made)
    flipped: list[list[bool]] = []
    for epoch in range(8):
        flips = dict.fromkeys(range(len(train)), False)
        plain = {
            index: rest for index, *rest in list_pictures(train_epoch(train, 0, epoch, 0, False))
        }
        for index, image, boxes in list_pictures(train_epoch(train, 0, epoch)):
            stored, corners = plain[index]
            flips[index] = not torch.equal(image, stored)
            if flips[index]:
                width = stored.shape[2]
                stored = stored.flip(-1)
                corners = corners[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1])
                corners += torch.tensor([width, 0, width, 0])
            assert torch.equal(image, stored)
            assert torch.allclose(boxes, corners, rtol=0, atol=1e-5)
        flipped.append(list(flips.values()))
    assert 0.3 < np.mean(flipped) < 0.7
    assert len({tuple(flips) for flips in flipped}) == 8


def list_pictures(batches: Sequence[ObjectBatch]) -> list[tuple[int, Tensor, Tensor]]:
    found = []
    for batch in batches:
        found += list(zip(batch.indices, batch.images, batch.boxes, strict=True))
    return found


def test_boxes_of_training_lie_within_their_pictures_and_have_an_area(made: Path) -> None:
    train, _ = read_sets(made)
    for epoch in range(3):
        for _, image, boxes in list_pictures(train_epoch(train, epoch=epoch)):
            height, width = image.shape[1:]
            assert len(boxes) > 0
            assert boxes.min() >= 0
            assert (boxes <= torch.tensor([width, height, width, height])).all()
            assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_boxes_without_an_area_in_the_picture_are_not_trained_on() -> None:
    boxes = [
        [1, 1, 0, 5],
        [1, 1, 5, -1],
        [9, 1, 5, 5],
        [-5, 1, 5, 5],
        [1, 1, 1e-5, 5],
        [7, 0, 3, 1],
    ]
    objects = Objects(
        offsets=np.array([0, 2, 6]),
        boxes=np.array(boxes, dtype=np.float64),
        labels=np.arange(6),
        is_crowd=np.zeros(6, dtype=bool),
        areas=np.ones(6),
    )
    images = ObjectSet(
        image_ids=np.array([1, 2]),
        sizes=np.array([[6, 8], [6, 8]]),
        category_ids=np.arange(6),
        category_names=tuple("abcdef"),
        objects=objects,
        pictures=DrawnPictures(np.zeros((2, 3, 6, 8), dtype=np.uint8)),
    )
    trained = select_trainable(images)
    assert trained.image_ids.tolist() == [2]
    assert trained.objects.labels.tolist() == [5]
    nothing = replace(objects, is_crowd=np.ones(6, dtype=bool))
    with pytest.raises(DataError, match="no training picture shows an object"):
        select_trainable(replace(images, objects=nothing))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_cannot_be_read_is_named(made: Path, tmp_path: Path, workers: int) -> None:
    _, images = read_sets(Path(shutil.copytree(made, tmp_path / "set")))
    file = Path(images.pictures.name_picture(5))
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match=rf"^{file} is not a readable image") as caught:
        eval_epoch(images, workers)
    assert "Traceback" not in str(caught.value)


def test_memory_that_is_short_ends_a_run_with_the_mend(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_count: int) -> Tensor:
        raise NoSharedMemory("unable to allocate shared memory(shm)")

    monkeypatch.setattr(object_batches, "allocate_bytes", fail)
    with pytest.raises(RunFailed, match=r"larger /dev/shm .*trainer\.num_workers=0"):
        eval_epoch(read_sets(made)[1], workers=1)


def test_a_batch_is_one_piece_of_memory(made: Path) -> None:
    batch = eval_epoch(read_sets(made)[1], workers=1)[0]
    assert len({image.untyped_storage().data_ptr() for image in batch.images}) == 1
    assert all(image.permute(1, 2, 0).is_contiguous() for image in batch.images)


def test_pictures_are_found_by_names_that_are_no_text(made: Path, tmp_path: Path) -> None:
    _, images = read_sets(made)
    strange = tmp_path / "\udcff.jpg"
    shutil.copy(images.pictures.name_picture(0), strange)
    pictures = PictureFiles(np.array([bytes(strange)]), images.sizes[:1])
    assert torch.equal(pictures.load_picture(0), images.load_picture(0))
