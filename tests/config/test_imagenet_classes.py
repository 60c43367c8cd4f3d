"""Labels are places among ImageNet's 1,000 classes wherever a network has all of its outputs."""

from __future__ import annotations

import re

import pytest

from senet_repro.config.imagenet_classes import number_classes, read_wnids

PART = ["n01443537", "n01484850", "n01491361"]


def test_the_list_is_imagenets() -> None:
    wnids = list(read_wnids())
    assert len(wnids) == 1000
    assert wnids == sorted(wnids)
    assert all(re.fullmatch(r"n\d{8}", name) for name in wnids)
    assert (wnids[0], wnids[-1]) == ("n01440764", "n15075141")


@pytest.mark.parametrize(
    ("names", "classes", "labels"),
    [
        (PART, 1000, [1, 2, 3]),
        (PART, 3, [0, 1, 2]),
        (["cat", "dog"], 1000, [0, 1]),
        ([*PART, "own"], 1000, [0, 1, 2, 3]),
        (list(read_wnids()), 1000, list(range(1000))),
    ],
)
def test_class_folders_are_numbered(names: list[str], classes: int, labels: list[int]) -> None:
    assert number_classes(names, classes) == labels
