"""Circles, squares and triangles on textured ground, drawn by whole numbers alone (data floor).

A picture follows from (part, index): of the generator only its raw words are used, which are the same in every version
of NumPy, and nothing is rounded. So the set is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from senet_repro.config.picture_folders import PARTS
from senet_repro.config.schema import Data
from senet_repro.data.object_set import DrawnPictures, Objects, ObjectSet

SIDE_PX = 96
"""Side of every picture; `data.train_px` and `data.eval_px` scale it, as they scale the pictures of other sets."""
CATEGORIES = {1: "circle", 2: "square", 3: "triangle"}
"""Their names by their ids."""
MOST_OBJECTS = 4
LEAST_PX, MOST_PX = 14, 44
"""The least and the greatest side of an object."""

# A further object is tried at so many places, and left out if it would cover too much at each.
_TRIES = 8
# The most that it may share with another one's box, as a part of the smaller of both: one of so many.
_MOST_SHARED = 10
# Sides of the squares of each layer of noise, and the greatest value of each: together they stay below 256.
_LAYERS = {32: 80, 12: 70, 4: 50, 1: 40}

# Of the random words of a picture one is for its number of objects, and for each of these so many: kind, side, colour,
# and both coordinates of each place to try. The others are for its noise.
_WORDS_OF_SHAPES = 1 + MOST_OBJECTS * (3 + 2 * _TRIES)

Box = tuple[int, int, int]
"""Left and upper edge, and the side of a square."""
Row = tuple[int, tuple[int, int, int, int], int]
"""An object: its label, the box (x, y, width, height) of its pixels that are seen, and their number."""


@dataclass(frozen=True)
class _Shape:
    """One object to draw."""

    kind: int  # its label, from 0
    box: Box
    colour: tuple[int, int, int]


def load_shapes(data: Data) -> tuple[ObjectSet, ObjectSet]:
    """Return the training and the evaluation part, of `data.train_images` and `data.eval_images` pictures."""
    train, evaluation = PARTS
    return draw_shapes(train, data.train_images), draw_shapes(evaluation, data.eval_images)


def draw_shapes(part: str, count: int) -> ObjectSet:
    """Return the first `count` pictures of a part, train or val."""
    words = np.stack([_draw_words(PARTS.index(part), index) for index in range(count)])
    pixels = _draw_grounds(words[:, _WORDS_OF_SHAPES:])
    offsets = [0]
    rows: list[Row] = []
    for picture, numbers in zip(pixels, words[:, :_WORDS_OF_SHAPES].tolist(), strict=True):
        shapes = _choose_shapes(_Choices(numbers))
        rows += _paint_shapes(picture, shapes)
        offsets.append(len(rows))
    labels, boxes, areas = zip(*rows, strict=True)
    objects = Objects(
        offsets=np.array(offsets),
        boxes=np.array(boxes, dtype=np.float64),
        labels=np.array(labels),
        is_crowd=np.zeros(len(rows), dtype=bool),
        areas=np.array(areas, dtype=np.float64),
    )
    return ObjectSet(
        image_ids=np.arange(1, count + 1),
        sizes=np.full((count, 2), SIDE_PX),
        category_ids=np.array(list(CATEGORIES)),
        category_names=tuple(CATEGORIES.values()),
        objects=objects,
        pictures=DrawnPictures(pixels),
    )


class _Choices:
    """Random whole numbers of 64 bits, taken one after the other."""

    def __init__(self, numbers: list[int]) -> None:
        self._numbers = iter(numbers)

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to below `limit`."""
        # The upper half of a number, scaled: nothing is rounded.
        return (next(self._numbers) >> 32) * limit >> 32


def _draw_words(part: int, index: int) -> np.ndarray:
    """Return all the random words of a picture: those of its shapes, then those of its noise."""
    generator = np.random.PCG64(np.random.SeedSequence((part, index)))
    words: np.ndarray = generator.random_raw(_WORDS_OF_SHAPES + _count_noise() // 8)
    return words


def _count_cells(cell_px: int) -> int:
    """Return how many squares of a layer of noise lie along a side."""
    return SIDE_PX // cell_px


def _count_noise() -> int:
    """Return the bytes of the noise of a picture: one for each square of each layer and channel, in whole words."""
    cells = sum(3 * _count_cells(cell) ** 2 for cell in _LAYERS)
    return -(-cells // 8) * 8


def _choose_shapes(choices: _Choices) -> list[_Shape]:
    """Return the objects of a picture, the lowest one first."""
    wanted = 1 + choices.below(MOST_OBJECTS)
    chosen: list[_Shape] = []
    # The same number of words is taken for every picture.
    for place in range(MOST_OBJECTS):
        kind = choices.below(len(CATEGORIES))
        side = LEAST_PX + choices.below(MOST_PX - LEAST_PX + 1)
        colour = _choose_colour(choices.below(2**32))
        room = SIDE_PX - side + 1
        boxes = [(choices.below(room), choices.below(room), side) for _ in range(_TRIES)]
        if place >= wanted:
            continue
        free = (box for box in boxes if not _covers_much(box, chosen))
        box = next(free, None)
        if box is not None:
            chosen.append(_Shape(kind, box, colour))
    return chosen


def _choose_colour(number: int) -> tuple[int, int, int]:
    """Return a saturated colour: one channel is bright, one dark, and the third anything."""
    number, bright = divmod(number, 3)
    number, step = divmod(number, 2)
    dark = (bright + 1 + step) % 3
    colour = [number % 256] * 3
    colour[bright] = 200 + (number >> 8) % 56
    colour[dark] = (number >> 16) % 50
    red, green, blue = colour
    return red, green, blue


def _covers_much(box: Box, others: list[_Shape]) -> bool:
    """Return whether a box shares more than a little with that of another object."""
    x, y, side = box
    for other in others:
        other_x, other_y, other_side = other.box
        across = min(x + side, other_x + other_side) - max(x, other_x)
        down = min(y + side, other_y + other_side) - max(y, other_y)
        smaller = min(side, other_side)
        if across > 0 and down > 0 and across * down * _MOST_SHARED > smaller**2:
            return True
    return False


def _draw_grounds(words: np.ndarray) -> np.ndarray:
    """Return noise of several scales, uint8 (N, 3, SIDE_PX, SIDE_PX), of random words (N, W)."""
    count = len(words)
    # Bytes in the same order on every machine.
    noise = words.astype("<u8").view(np.uint8)
    grounds = np.zeros((count, 3, SIDE_PX, SIDE_PX), dtype=np.uint8)
    start = 0
    for cell, most in _LAYERS.items():
        cells = _count_cells(cell)
        end = start + 3 * cells**2
        levels = (noise[:, start:end].astype(np.uint16) * most >> 8).astype(np.uint8)
        # Each value fills a square.
        squares = grounds.reshape(count, 3, cells, cell, cells, cell)
        squares += levels.reshape(count, 3, cells, 1, cells, 1)
        start = end
    return grounds


def _paint_shapes(pixels: np.ndarray, shapes: list[_Shape]) -> list[Row]:
    """Paint objects into a picture, uint8 (3, SIDE_PX, SIDE_PX), and return what of each is seen."""
    owners = np.full((SIDE_PX, SIDE_PX), -1, dtype=np.int8)
    for number, shape in enumerate(shapes):
        x, y, side = shape.box
        owners[y : y + side, x : x + side][_find_form(shape.kind, side)] = number
    rows = []
    for number, shape in enumerate(shapes):
        x, y, side = shape.box
        is_seen = owners[y : y + side, x : x + side] == number
        square = pixels[:, y : y + side, x : x + side]
        np.copyto(square, np.array(shape.colour, dtype=np.uint8)[:, None, None], where=is_seen)
        across = np.flatnonzero(is_seen.any(axis=0)).tolist()
        down = np.flatnonzero(is_seen.any(axis=1)).tolist()
        box = (x + across[0], y + down[0], across[-1] - across[0] + 1, down[-1] - down[0] + 1)
        rows.append((shape.kind, box, int(np.count_nonzero(is_seen))))
    return rows


@cache
def _find_form(kind: int, side: int) -> np.ndarray:
    """Return which pixels of its square an object has, (side, side) bool; it touches all four edges."""
    # Twice the distance of a pixel's centre from the middle, a whole number.
    from_middle = np.abs(2 * np.arange(side) + 1 - side)
    name = list(CATEGORIES.values())[kind]
    is_inside: np.ndarray
    if name == "circle":
        is_inside = from_middle[:, None] ** 2 + from_middle**2 <= side**2
    elif name == "square":
        is_inside = np.ones((side, side), dtype=bool)
    else:
        # One pixel wide at its tip, or two, and `side` at its foot.
        is_inside = from_middle <= np.arange(1, side + 1)[:, None]
    return is_inside
