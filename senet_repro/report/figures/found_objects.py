"""An evaluation picture with the objects that a detector found, missed or made up (report floor).

The picture comes with the run, as a JPEG file; the boxes are drawn over it as lines of the page, in pixels of the
picture as it was annotated.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from senet_repro.core.printing import escape_line
from senet_repro.core.wording import count_noun
from senet_repro.report.figures.style import BLUE, INK, VERMILLION
from senet_repro.results.detections import Detections
from senet_repro.results.example_pictures import MOST_PX
from senet_repro.stats.object_matches import ObjectMatches, match_objects

if TYPE_CHECKING:
    import numpy as np

LEAST_SCORE = 0.5
"""Objects that were found with a lower score are not drawn, and count as not found here."""

_LETTER_PX = 12
_CASING = "#ffffff"
_LEGEND_HEIGHT_PX = 20


@dataclass(frozen=True)
class BoxStyle:
    """The look of a box: a pattern of the line beside its colour, for whom colours look alike."""

    word: str
    meaning: str
    colour: str
    dashes: str  # lengths of dashes and gaps in pixels of the page; none: a whole line


FOUND = BoxStyle("found", "found, with the score", BLUE, "none")
MISSED = BoxStyle("missed", "there, and missed", INK, "8 5")
WRONG = BoxStyle("wrong", "found, and not there", VERMILLION, "2 4")
STYLES = (FOUND, MISSED, WRONG)


@dataclass(frozen=True)
class ObjectPicture:
    """A picture with its boxes as the page holds it."""

    name: str  # its id in the page
    caption: str
    width_px: int  # in the page
    inline: str  # an element of the page


@dataclass(frozen=True)
class _Box:
    """A box that is drawn, in pixels of the picture."""

    style: BoxStyle
    sides: tuple[float, float, float, float]  # x, y, width and height
    words: str


def draw_found_objects(
    detections: Detections, index: int, picture: bytes, name: str
) -> ObjectPicture:
    """Return picture `index` of detections with its boxes; `picture` is its JPEG file, `name` its id in the page."""
    boxes = _list_boxes(detections, index)
    height, width = detections.sizes[index].tolist()
    image_id = int(detections.image_ids[index])
    caption = f"Image {image_id}: {_count_boxes(boxes)}"
    # As large as the largest that a run keeps.
    scale = max(height, width) / MOST_PX
    root = _start_drawing(width, height, caption)
    _add_picture(root, picture, (width, height))
    for box in boxes:
        _add_box(root, box)
    letter = _LETTER_PX * scale
    # After all boxes, none of which then covers words.
    for box in boxes:
        _add_words(root, box, (width, height), letter)
    return ObjectPicture(
        name=name,
        caption=caption,
        width_px=round(width / scale),
        inline=_write_drawing(root),
    )


def draw_box_legend() -> list[ObjectPicture]:
    """Return a sample of each kind of line, with its meaning as the caption."""
    height = _LEGEND_HEIGHT_PX
    width = 2 * height
    margin = 3
    sides = (margin, margin, width - 2 * margin, height - 2 * margin)
    samples = []
    for style in STYLES:
        root = _start_drawing(width, height, style.meaning)
        _add_box(root, _Box(style, sides, words=""))
        sample = ObjectPicture(
            name="",
            caption=style.meaning,
            width_px=width,
            inline=_write_drawing(root),
        )
        samples.append(sample)
    return samples


def _list_boxes(detections: Detections, index: int) -> list[_Box]:
    """Return the boxes of a picture: objects found, those missed, and what was found that is none."""
    true = detections.true
    found = detections.found
    true_start, true_end = true.offsets[index : index + 2].tolist()
    found_start, found_end = found.offsets[index : index + 2].tolist()
    scores = found.scores[found_start:found_end]
    # By falling score, so that the first ones are those with a score that is high enough.
    count = int((scores >= LEAST_SCORE).sum())
    true_rows = slice(true_start, true_end)
    found_rows = slice(found_start, found_start + count)
    true_boxes = true.boxes[true_rows]
    true_labels = true.labels[true_rows]
    is_crowd = true.is_crowd[true_rows]
    found_boxes = found.boxes[found_rows]
    found_labels = found.labels[found_rows]
    matches = match_objects(
        true_boxes,
        true_labels,
        is_crowd,
        found_boxes.astype(float),
        found_labels,
    )
    names = [escape_line(name) for name in detections.category_names]
    true_names = [names[label] for label in true_labels]
    boxes = _list_true_boxes(
        true_boxes,
        true_names,
        is_crowd,
        matches,
        scores,
    )
    for place in matches.is_wrong.nonzero()[0]:
        name = names[found_labels[place]]
        sides = tuple(found_boxes[place].tolist())
        words = f"{WRONG.word}: {name} {scores[place]:.2f}"
        boxes.append(_Box(WRONG, sides, words))
    return boxes


def _list_true_boxes(
    true_boxes: np.ndarray,
    names: list[str],
    is_crowd: np.ndarray,
    matches: ObjectMatches,
    scores: np.ndarray,
) -> list[_Box]:
    """Return the boxes of the true objects, but for crowds: nobody says how many of those were to be found."""
    boxes = []
    for place, name in enumerate(names):
        sides = tuple(true_boxes[place].tolist())
        match = matches.matched_by[place]
        if match >= 0:
            words = f"{name} {scores[match]:.2f}"
            boxes.append(_Box(FOUND, sides, words))
        elif not is_crowd[place]:
            words = f"{MISSED.word}: {name}"
            boxes.append(_Box(MISSED, sides, words))
    return boxes


def _count_boxes(boxes: list[_Box]) -> str:
    """Return how many objects were found, missed and made up, in words."""
    counts = Counter(box.style for box in boxes)
    found = counts[FOUND]
    missed = counts[MISSED]
    wrong = counts[WRONG]
    objects = count_noun(found + missed, "object")
    return f"{found} of {objects} found, {missed} missed, {wrong} wrong"


def _start_drawing(width: float, height: float, words: str) -> ElementTree.Element:
    """Return an empty drawing that a screen reader calls by these words."""
    attributes = {
        "viewBox": f"0 0 {width:g} {height:g}",
        "role": "img",
        "aria-label": words,
    }
    return ElementTree.Element("svg", attributes)


def _write_drawing(root: ElementTree.Element) -> str:
    """Return a drawing as an element of the page."""
    return ElementTree.tostring(root, encoding="unicode")


def _add_picture(root: ElementTree.Element, picture: bytes, size: tuple[int, int]) -> None:
    """Fill a drawing of this width and height with a picture, which is its JPEG file."""
    width, height = size
    data = b64encode(picture).decode("ascii")
    attributes = {
        **_name_sides((0, 0, width, height)),
        "href": f"data:image/jpeg;base64,{data}",
        "preserveAspectRatio": "none",
    }
    ElementTree.SubElement(root, "image", attributes)


def _add_box(root: ElementTree.Element, box: _Box) -> None:
    """Draw a box, over a wider white line, so that it shows on a dark picture and on a light one."""
    common = {
        "fill": "none",
        # Lines have one width on the page, whatever the size of the picture.
        "vector-effect": "non-scaling-stroke",
        **_name_sides(box.sides),
    }
    casing = {
        "stroke": _CASING,
        "stroke-width": "4",
        "stroke-opacity": "0.8",
    }
    line = {
        "stroke": box.style.colour,
        "stroke-width": "2",
        "stroke-dasharray": box.style.dashes,
    }
    ElementTree.SubElement(root, "rect", common | casing)
    ElementTree.SubElement(root, "rect", common | line)


def _add_words(
    root: ElementTree.Element, box: _Box, size: tuple[float, float], letter: float
) -> None:
    """Write the words of a box above it, or below one that is wrong, and within it at the edge of the picture."""
    x, y, box_width, box_height = box.sides
    width, height = size
    base = y - letter / 3
    if box.style is WRONG:
        # What was taken for something else has a missed object at its place, and its words above.
        base = y + box_height + letter
        if base > height - letter / 3:
            base = y + box_height - letter / 3
    elif base < letter:
        base = y + letter
    # In the right half words end with the box, so that none leave the picture.
    edge = x
    anchor = "start"
    if x + box_width / 2 >= width / 2:
        edge += box_width
        anchor = "end"
    attributes = {
        "x": f"{edge:.1f}",
        "y": f"{base:.1f}",
        "text-anchor": anchor,
        "font-size": f"{letter:.1f}",
        "font-weight": "600",
        "fill": box.style.colour,
        "stroke": _CASING,
        "stroke-width": f"{letter / 4:.1f}",
        "paint-order": "stroke",
    }
    ElementTree.SubElement(root, "text", attributes).text = box.words


def _name_sides(sides: tuple[float, ...]) -> dict[str, str]:
    names = ("x", "y", "width", "height")
    return {name: f"{side:.1f}" for name, side in zip(names, sides, strict=True)}
