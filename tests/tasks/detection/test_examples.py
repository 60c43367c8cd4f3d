"""The pictures that a run keeps are chosen by the set alone, and small."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from senet_repro.data.object_set import DrawnPictures, Objects, ObjectSet
from senet_repro.data.shapes import draw_shapes
from senet_repro.results.example_pictures import read_pictures
from senet_repro.tasks.detection.examples import choose_examples, encode_picture, write_examples


def build_set(counts: list[int], crowds: set[int]) -> ObjectSet:
    """A set of pictures with so many objects each; `crowds` are the rows that are crowds."""
    rows = sum(counts)
    return ObjectSet(
        image_ids=np.arange(len(counts)) * 10,
        sizes=np.full((len(counts), 2), 4),
        category_ids=np.array([1]),
        category_names=("cat",),
        objects=Objects(
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(int),
            boxes=np.ones((rows, 4)),
            labels=np.zeros(rows, int),
            is_crowd=np.array([row in crowds for row in range(rows)], bool),
            areas=np.ones(rows),
        ),
        pictures=DrawnPictures(np.zeros((len(counts), 3, 4, 4), np.uint8)),
    )


@pytest.mark.parametrize(
    ("counts", "crowds", "chosen"),
    [
        ([0, 1, 2, 3, 2, 0, 9, 2, 2], set(), [2, 3, 4, 6]),
        ([2, 3], {0, 4}, [1]),
        ([1, 1], set(), []),
    ],
)
def test_the_first_pictures_with_two_objects_are_chosen(
    counts: list[int], crowds: set[int], chosen: list[int]
) -> None:
    assert choose_examples(build_set(counts, crowds)) == chosen


@pytest.mark.parametrize(
    ("height", "width", "size"), [(480, 640, (400, 300)), (900, 100, (44, 400)), (64, 50, (50, 64))]
)
def test_a_picture_keeps_its_shape_and_becomes_no_larger(
    height: int, width: int, size: tuple[int, int]
) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
    encoded = encode_picture(noise)
    assert len(encoded) < 130_000
    assert Image.open(io.BytesIO(encoded)).size == size


def test_a_run_keeps_the_pictures_that_its_set_has(tmp_path: Path) -> None:
    images = draw_shapes("val", 6)
    write_examples(images, tmp_path)
    kept = read_pictures(tmp_path)
    places = choose_examples(images)
    assert list(kept) == images.image_ids[places].tolist()
    picture = np.array(Image.open(io.BytesIO(kept[int(images.image_ids[places[0]])])), int)
    pixels = images.load_picture(places[0]).permute(1, 2, 0).numpy()
    # The shapes lie on noise, which JPEG smooths.
    assert abs(picture - pixels).mean() < 15
