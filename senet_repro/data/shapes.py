"""Circles, squares and triangles on textured ground, drawn by whole numbers alone (data floor).

A picture follows from (part, index): of the generator only its raw words are used, which are the same in every version
of NumPy, and nothing is rounded. So the set is the same on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from senet_repro.config.picture_folders import PARTS
from senet_repro.config.schema import Data
from senet_repro.data.object_set import DrawnPictures, Objects, ObjectSet

SIDE_PX = 96
"""Side of every picture; `data.train_px` and `data.eval_px` scale it, as they scale the pictures of other sets."""
CATEGORIES = {1: "circle", 2: "square", 3: "triangle"}
"""Their names by their ids."""
MOST_OBJECTS = 4
LEAST_PX = 14
"""The least side of an object."""
MOST_PX = 44
"""The greatest side of an object."""

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


class Row(NamedTuple):
    """An object as it is seen."""

    label: int
    box: list[int]  # x, y, width and height around its pixels
    area: int  # their number


@dataclass(frozen=True)
class _Shape:
    """One object to draw."""

    kind: int  # its label, from 0
    box: Box
    colour: tuple[int, int, int]


def load_shapes(data: Data) -> tuple[ObjectSet, ObjectSet]:
    """Return the training and the evaluation part, of `data.train_images` and `data.eval_images` pictures."""
    train, evaluation = PARTS
    train_set = draw_shapes(train, data.train_images)
    eval_set = draw_shapes(evaluation, data.eval_images)
    return train_set, eval_set


def draw_shapes(part: str, count: int) -> ObjectSet:
    """Return the first `count` pictures of a part, train or val."""
    stream = PARTS.index(part)
    by_picture = []
    for index in range(count):
        by_picture.append(_draw_words(stream, index))
    words = np.stack(by_picture)
    pixels = _draw_grounds(words[:, _WORDS_OF_SHAPES:])
    offsets = [0]
    rows: list[Row] = []
    words_of_shapes = words[:, :_WORDS_OF_SHAPES].tolist()
    for picture, numbers in zip(pixels, words_of_shapes, strict=True):
        shapes = _choose_shapes(_Choices(numbers))
        rows += _paint_shapes(picture, shapes)
        offsets.append(len(rows))
    objects = _collect_objects(offsets, rows)
    return ObjectSet(
        image_ids=np.arange(1, count + 1),
        sizes=np.full((count, 2), SIDE_PX),
        category_ids=np.array(list(CATEGORIES)),
        category_names=tuple(CATEGORIES.values()),
        objects=objects,
        pictures=DrawnPictures(pixels),
    )


def _collect_objects(offsets: list[int], rows: list[Row]) -> Objects:
    """Return the objects of all pictures as arrays."""
    labels = []
    boxes = []
    areas = []
    for row in rows:
        labels.append(row.label)
        boxes.append(row.box)
        areas.append(row.area)
    return Objects(
        offsets=np.array(offsets),
        boxes=np.array(boxes, dtype=np.float64),
        labels=np.array(labels),
        is_crowd=np.zeros(len(rows), dtype=bool),
        areas=np.array(areas, dtype=np.float64),
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
    seed = np.random.SeedSequence((part, index))
    generator = np.random.PCG64(seed)
    count = _WORDS_OF_SHAPES + _count_noise_words()
    words: np.ndarray = generator.random_raw(count)
    return words


def _count_cells(cell_px: int) -> int:
    """Return how many squares of a layer of noise lie along a side."""
    return SIDE_PX // cell_px


def _count_noise_words() -> int:
    """Return the words of the noise of a picture, which has a byte for each square of each layer and channel."""
    noise_bytes = 0
    for cell in _LAYERS:
        cells = _count_cells(cell)
        noise_bytes += 3 * cells**2
    return math.ceil(noise_bytes / 8)


def _choose_shapes(choices: _Choices) -> list[_Shape]:
    """Return the objects of a picture, the lowest one first."""
    wanted = 1 + choices.below(MOST_OBJECTS)
    chosen: list[_Shape] = []
    # The same number of words is taken for every picture.
    for place in range(MOST_OBJECTS):
        kind = choices.below(len(CATEGORIES))
        side = LEAST_PX + choices.below(1 + MOST_PX - LEAST_PX)
        colour = _choose_colour(choices.below(2**32))
        boxes = []
        for _ in range(_TRIES):
            boxes.append(_choose_box(choices, side))
        if place >= wanted:
            continue
        for box in boxes:
            if not _covers_much(box, chosen):
                chosen.append(_Shape(kind, box, colour))
                break
    return chosen


def _choose_box(choices: _Choices, side: int) -> Box:
    """Return a square of a side somewhere in the picture."""
    room = SIDE_PX - side + 1
    x = choices.below(room)
    y = choices.below(room)
    return x, y, side


def _choose_colour(number: int) -> tuple[int, int, int]:
    """Return a saturated colour: one channel is bright, one dark, and the third anything."""
    number, bright = divmod(number, 3)
    number, step = divmod(number, 2)
    dark = (bright + 1 + step) % 3
    bright_byte = number >> 8
    dark_byte = number >> 16
    colour = [number % 256] * 3
    colour[bright] = 200 + bright_byte % 56
    colour[dark] = dark_byte % 50
    red, green, blue = colour
    return red, green, blue


def _covers_much(box: Box, others: list[_Shape]) -> bool:
    """Return whether a box shares more than a little with that of another object."""
    x, y, side = box
    for other in others:
        other_x, other_y, other_side = other.box
        across = _measure_overlap(x, side, other_x, other_side)
        down = _measure_overlap(y, side, other_y, other_side)
        shared = across * down
        smaller = min(side, other_side)
        if shared * _MOST_SHARED > smaller**2:
            return True
    return False


def _measure_overlap(start: int, length: int, other_start: int, other_length: int) -> int:
    """Return how many pixels of a line two stretches of it share."""
    last_start = max(start, other_start)
    first_end = min(start + length, other_start + other_length)
    return max(first_end - last_start, 0)


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
        levels = noise[:, start:end].astype(np.uint16)
        levels *= most
        levels >>= 8
        # Each value fills a square.
        squares = grounds.reshape(count, 3, cells, cell, cells, cell)
        values = levels.astype(np.uint8)
        squares += values.reshape(count, 3, cells, 1, cells, 1)
        start = end
    return grounds


def _paint_shapes(pixels: np.ndarray, shapes: list[_Shape]) -> list[Row]:
    """Paint objects into a picture, uint8 (3, SIDE_PX, SIDE_PX), and return what of each is seen."""
    owners = np.full((SIDE_PX, SIDE_PX), -1, dtype=np.int8)
    for number, shape in enumerate(shapes):
        form = _find_form(shape.kind, shape.box[2])
        _cut_square(owners, shape.box)[form] = number
    rows = []
    for number, shape in enumerate(shapes):
        x, y, _ = shape.box
        is_seen = _cut_square(owners, shape.box) == number
        square = _cut_square(pixels, shape.box)
        colour = np.array(shape.colour, dtype=np.uint8)
        np.copyto(square, colour[:, None, None], where=is_seen)
        left, width = _find_extent(is_seen.any(axis=0))
        upper, height = _find_extent(is_seen.any(axis=1))
        row = Row(
            label=shape.kind,
            box=[
                x + left,
                y + upper,
                width,
                height,
            ],
            area=int(np.count_nonzero(is_seen)),
        )
        rows.append(row)
    return rows


def _cut_square(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Return the pixels within (..., SIDE_PX, SIDE_PX) that a square covers, as a part of the same memory."""
    x, y, side = box
    rows = slice(y, y + side)
    columns = slice(x, x + side)
    return pixels[..., rows, columns]


def _find_extent(is_seen: np.ndarray) -> tuple[int, int]:
    """Return the first of the rows or columns that (side,) bool says, and how many lie from there to the last."""
    places = np.flatnonzero(is_seen).tolist()
    first = places[0]
    last = places[-1]
    return first, last - first + 1


@cache
def _find_form(kind: int, side: int) -> np.ndarray:
    """Return which pixels of its square an object has, (side, side) bool; it touches all four edges."""
    # Twice the distance of a pixel's centre from the middle, a whole number.
    centres = 2 * np.arange(side) + 1
    across = np.abs(centres - side)
    down = across[:, None]
    names = list(CATEGORIES.values())
    name = names[kind]
    is_inside: np.ndarray
    if name == "circle":
        from_middle = across**2 + down**2
        is_inside = from_middle <= side**2
    elif name == "square":
        is_inside = np.ones((side, side), dtype=bool)
    else:
        # One pixel wide at its tip, or two, and `side` at its foot.
        widths = np.arange(1, side + 1)
        is_inside = across <= widths[:, None]
    return is_inside
