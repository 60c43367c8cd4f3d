"""Drawn shapes: the same on every machine, their boxes tight around the pixels that are seen."""

from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np
import pytest

from senet_repro.config.paper_tables import compose_cached
from senet_repro.data.object_set import DrawnPictures, ObjectSet, select_trainable
from senet_repro.data.shapes import (
    LEAST_PX,
    MOST_PX,
    SIDE_PX,
    _Choices,
    _choose_shapes,
    _draw_words,
    _find_form,
    draw_shapes,
    load_shapes,
)

PICTURES = 40


@pytest.fixture(scope="module")
def shapes() -> ObjectSet:
    return draw_shapes("train", PICTURES)


def read_pixels(images: ObjectSet) -> np.ndarray:
    assert isinstance(images.pictures, DrawnPictures)
    return images.pictures.pixels


def test_every_machine_draws_the_same(shapes: ObjectSet) -> None:
    digest = hashlib.sha256(read_pixels(shapes)[:8].tobytes())
    digest.update(shapes.objects.boxes.astype("<f8").tobytes())
    digest.update(shapes.objects.areas.astype("<f8").tobytes())
    assert digest.hexdigest() == "568cd7289a7519b4017e9be580b064ac47a68a8314fa3a90fcc6de65167aaf48"


def test_a_picture_depends_on_its_part_and_place_alone(shapes: ObjectSet) -> None:
    assert np.array_equal(read_pixels(draw_shapes("train", 3)), read_pixels(shapes)[:3])
    assert not np.array_equal(read_pixels(draw_shapes("val", 1))[0], read_pixels(shapes)[0])


def test_boxes_are_tight_and_areas_count_the_pixels_of_one_colour(shapes: ObjectSet) -> None:
    objects = shapes.objects
    for index in range(PICTURES):
        picture = read_pixels(shapes)[index].transpose(1, 2, 0).astype(int)
        (colours, counts) = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        rows = objects.find_rows(index)
        drawn = _choose_shapes(_Choices(_draw_words(0, index).tolist()))
        assert len(drawn) == rows.stop - rows.start
        for shape, box, area in zip(drawn, objects.boxes[rows], objects.areas[rows], strict=True):
            assert max(shape.colour) >= 200 > 50 > min(shape.colour)
            of_colour = (picture == shape.colour).all(axis=2)
            down, across = np.nonzero(of_colour)
            x, y = across.min(), down.min()
            width, height = across.max() - x + 1, down.max() - y + 1
            assert box.tolist() == [x, y, width, height]
            assert area == counts[(colours == shape.colour).all(axis=1)][0]


def test_objects_are_of_every_kind_number_and_side_and_cover_little_of_each_other() -> None:
    train, evaluation = load_shapes(compose_cached("+experiment=coco", "protocol=shapes").data)
    assert (len(train), len(evaluation)) == (512, 128)
    assert len(select_trainable(train)) == 512
    assert train.category_ids.tolist() == [1, 2, 3]
    assert train.category_names == ("circle", "square", "triangle")
    assert np.bincount(train.objects.labels).min() > 300
    counts = np.bincount(train.objects.count_by_picture())
    assert counts[0] == 0
    assert counts[1:].min() > 50
    assert len(counts) == 5
    for index in range(100):
        shapes = _choose_shapes(_Choices(_draw_words(0, index).tolist()))
        for shape in shapes:
            x, y, side = shape.box
            assert LEAST_PX <= side <= MOST_PX
            assert min(x, y) >= 0
            assert max(x, y) + side <= SIDE_PX
        for first, second in combinations(shapes, 2):
            assert share_of_smaller(first.box, second.box) <= 0.1


def share_of_smaller(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """Count the pixels that two squares share, as a share of the smaller one."""
    covered = np.zeros((SIDE_PX, SIDE_PX), dtype=int)
    for x, y, side in (first, second):
        covered[y : y + side, x : x + side] += 1
    return float((covered == 2).sum() / min(first[2], second[2]) ** 2)


@pytest.mark.parametrize("kind", range(3))
@pytest.mark.parametrize("side", [LEAST_PX, LEAST_PX + 1, MOST_PX])
def test_a_form_touches_all_edges_of_its_square(kind: int, side: int) -> None:
    form = _find_form(kind, side)
    for edge in (form[0], form[-1], form[:, 0], form[:, -1]):
        assert edge.any()
    assert np.array_equal(form, form[:, ::-1])
    least, most = ((0.77, 0.8), (1, 1), (0.5, 0.58))[kind]
    assert least <= form.mean() <= most
