"""Detections by hand and at random, for whatever measures, keeps or draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from senet_repro.results.detections import (
    Detections,
    FoundObjects,
    TrueObjects,
    pack_detections,
)

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Truth:
    """An object of a picture: x, y, width and height, the place of its category, and its annotated area."""

    box: Box
    label: int
    area: float | None = None  # None: the box's
    is_crowd: bool = False


@dataclass(frozen=True)
class Find:
    """An object that was found."""

    box: Box
    label: int
    score: float


Picture = tuple[Sequence[Truth], Sequence[Find]]


def make_detections(
    pictures: Sequence[Picture],
    category_ids: Sequence[int] = (1, 2, 5, 90),
    size: tuple[int, int] = (480, 640),
) -> Detections:
    """Return the detections of pictures of one size, whose ids skip some numbers."""
    truths = [truth for own, _ in pictures for truth in own]
    finds = [find for _, own in pictures for find in own]
    return pack_detections(
        image_ids=3 + 7 * np.arange(len(pictures)),
        sizes=np.array([size] * len(pictures)).reshape(-1, 2),
        category_ids=np.array(category_ids),
        category_names=tuple(f"kind {number}" for number in category_ids),
        true=TrueObjects(
            offsets=count_up([len(own) for own, _ in pictures]),
            boxes=np.array([truth.box for truth in truths], float),
            labels=np.array([truth.label for truth in truths]),
            is_crowd=np.array([truth.is_crowd for truth in truths]),
            areas=np.array([measure_area(truth) for truth in truths]),
        ),
        found=FoundObjects(
            offsets=count_up([len(own) for _, own in pictures]),
            boxes=np.array([find.box for find in finds], float),
            labels=np.array([find.label for find in finds]),
            scores=np.array([find.score for find in finds]),
        ),
    )


def measure_area(truth: Truth) -> float:
    """Return the annotated area, or the box's where none is stated."""
    if truth.area is not None:
        return truth.area
    return truth.box[2] * truth.box[3]


def count_up(counts: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.array(counts, int))])


def draw_detections(
    images: int = 40, objects: int = 7, finds: int = 36, categories: int = 4, seed: int = 0
) -> Detections:
    """Return detections at random: most objects are found nearly where they are, and much is found beside them."""
    draw = np.random.default_rng(seed)
    pictures: list[Picture] = []
    for _ in range(images):
        truths = [_draw_truth(draw, categories) for _ in range(draw.integers(objects + 1))]
        near = [_draw_near(draw, truth) for truth in truths for _ in range(draw.integers(3))]
        free = finds - len(near)
        beside = [_draw_find(draw, categories) for _ in range(max(0, free))]
        pictures.append((truths, [*near, *beside]))
    ids = [1 + 3 * place for place in range(categories)]
    return make_detections(pictures, ids)


def _draw_truth(draw: np.random.Generator, categories: int) -> Truth:
    box = _draw_box(draw)
    # A mask covers a part of its box.
    area = box[2] * box[3] * draw.uniform(0.2, 1)
    return Truth(box, int(draw.integers(categories)), area, bool(draw.random() < 0.05))


def _draw_near(draw: np.random.Generator, truth: Truth) -> Find:
    shift = draw.normal(0, 0.08, 4) * (truth.box[2:] * 2)
    x, y, width, height = np.array(truth.box) + shift
    # Few values, so that there are ties.
    score = round(float(draw.uniform(0.3, 1)), 1)
    return Find((x, y, max(width, 1.0), max(height, 1.0)), truth.label, score)


def _draw_find(draw: np.random.Generator, categories: int) -> Find:
    return Find(
        _draw_box(draw), int(draw.integers(categories)), round(float(draw.uniform(0, 0.7)), 1)
    )


def _draw_box(draw: np.random.Generator) -> Box:
    width, height = np.exp(draw.uniform(np.log(8), np.log(300), 2))
    x, y = draw.uniform(0, 640 - width), draw.uniform(0, 480 - min(height, 400))
    return float(x), float(y), float(width), float(height)
