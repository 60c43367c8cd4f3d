"""A picture shows what was found, missed and made up, told apart without colour, and all text stays text."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from xml.etree import ElementTree

from senet_repro.report.figures.found_objects import (
    STYLES,
    ObjectPicture,
    draw_box_legend,
    draw_found_objects,
)
from tests.detections import Find, Truth, make_detections

CAT, DOG = (60.0, 60.0, 100.0, 100.0), (300.0, 200.0, 120.0, 200.0)
JPEG = b"\xff\xd8 a picture"
DETECTIONS = make_detections(
    [
        ([], []),
        (
            [Truth(CAT, 0), Truth(DOG, 1), Truth((0.0, 0.0, 640.0, 480.0), 2, is_crowd=True)],
            [
                Find(CAT, 0, 0.93),
                Find(DOG, 3, 0.8),
                Find((5.0, 5.0, 30.0, 30.0), 2, 0.7),
                Find(DOG, 1, 0.4),
            ],
        ),
    ]
)


def draw(name: str = "kind") -> ObjectPicture:
    names = tuple(f"{name} {place}" for place in range(4))
    return draw_found_objects(replace(DETECTIONS, category_names=names), 1, JPEG, "coco-found-1")


def test_what_was_found_missed_and_made_up_is_drawn_and_counted() -> None:
    picture = draw()
    root = ElementTree.fromstring(picture.inline)
    assert [text.text for text in root.iter("text")] == [
        "kind 0 0.93",
        "missed: kind 1",
        "wrong: kind 3 0.80",
    ]
    assert picture.caption == "Image 10: 1 of 2 objects found, 1 missed, 1 wrong"
    assert root.get("aria-label") == picture.caption
    assert root.get("viewBox") == "0 0 640 480"
    assert picture.width_px == 400
    (image,) = root.iter("image")
    assert image.get("href") == f"data:image/jpeg;base64,{b64encode(JPEG).decode()}"
    # Each box is a line over its casing, and each kind of it has a pattern of its own.
    lines = [box for box in root.iter("rect") if box.get("stroke-dasharray")]
    assert [line.get("stroke-dasharray") for line in lines] == [style.dashes for style in STYLES]
    assert len({style.dashes for style in STYLES}) == len(STYLES)
    assert (lines[0].get("x"), lines[0].get("width")) == ("60.0", "100.0")


def test_a_picture_without_objects_is_shown_without_boxes() -> None:
    picture = draw_found_objects(DETECTIONS, 0, JPEG, "name")
    assert picture.caption == "Image 3: 0 of 0 objects found, 0 missed, 0 wrong"
    assert "<rect" not in picture.inline


def test_names_of_categories_stay_text() -> None:
    picture = draw("<script>alert('x')</script>\x1b\"&")
    assert "<script" not in picture.inline
    assert "\x1b" not in picture.inline
    texts = [text.text or "" for text in ElementTree.fromstring(picture.inline).iter("text")]
    assert all("<script>alert('x')</script>\\x1b\"&" in text for text in texts)


def test_words_stay_within_the_picture() -> None:
    corners = [(0.0, 0.0), (560.0, 0.0), (0.0, 400.0), (560.0, 400.0)]
    finds = [Find((x, y, 80.0, 80.0), 0, 0.9) for x, y in corners]
    truths = [Truth((x + 20, y, 30.0, 80.0), 1) for x, y in corners]
    picture = draw_found_objects(make_detections([(truths, finds)]), 0, JPEG, "name")
    for text in ElementTree.fromstring(picture.inline).iter("text"):
        assert 10 < float(text.get("y", "")) < 478
        is_left = float(text.get("x", "")) < 320
        assert text.get("text-anchor") == ("start" if is_left else "end")


def test_the_legend_has_each_line_with_its_meaning() -> None:
    legend = draw_box_legend()
    assert [sample.caption for sample in legend] == [style.meaning for style in STYLES]
    for sample, style in zip(legend, STYLES, strict=True):
        assert f'stroke-dasharray="{style.dashes}"' in sample.inline
