"""Classes that a study of gates shows: the paper's where they are, wanted ones by name, folder or number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from senet_repro.config.excitation import choose_classes, split_study_words
from senet_repro.config.schema import Data
from senet_repro.core.errors import ConfigError
from tests.records import compose_once


def make_folders(root: Path, names: Sequence[str], classes: int) -> Data:
    """A set in folders with a file in each, for a network of so many outputs."""
    for name in names:
        folder = root / "val" / name
        folder.mkdir(parents=True)
        (folder / "0.png").touch()
    data = compose_once("protocol=imagenet").data
    return replace(data, root=str(root), classes=classes)


ALL_FOUR = [(1, "goldfish"), (254, "pug"), (726, "plane"), (972, "cliff")]


@pytest.mark.parametrize(
    ("names", "classes", "wanted", "expected"),
    [
        # A part of ImageNet lacks some of the paper's, which are named all the same.
        (["n01440764", "n03954731"], 1000, None, ALL_FOUR),
        (
            ["n01440764", "n01443537"],
            1000,
            ["n01440764", "goldfish"],
            [(0, "n01440764"), ALL_FOUR[0]],
        ),
        (["n01440764", "n01484850"], 1000, None, [(0, "n01440764"), (2, "n01484850")]),
        # Outputs that are numbered by the folders know none that is not there.
        (["n01440764", "n03954731"], 2, None, [(1, "plane")]),
        (["a", "b"], 2, ["1", "a", "b"], [(1, "b"), (0, "a")]),
    ],
)
def test_classes_of_folders_are_known_by_their_outputs(
    names: list[str],
    classes: int,
    wanted: list[str] | None,
    expected: list[tuple[int, str]],
    tmp_path: Path,
) -> None:
    found = choose_classes(make_folders(tmp_path, names, classes), wanted)
    assert [(one.label, one.name) for one in found] == expected


def test_classes_of_cifar_are_known_by_their_names_and_a_slip_names_some() -> None:
    data = replace(compose_once("protocol=demo").data, name="cifar10")
    assert [one.name for one in choose_classes(data, None)] == [
        "airplane",
        "automobile",
        "bird",
        "cat",
    ]
    assert [one.label for one in choose_classes(data, ["ship", "3"])] == [8, 3]
    with pytest.raises(ConfigError, match=r"classes=shop: cifar10 has no such class.*airplane"):
        choose_classes(data, ["shop"])


def test_own_words_are_taken_and_those_of_the_evaluation_left() -> None:
    said, rest = split_study_words(
        ["classes=[a, b]", "images=7", "hold=False", "blocks=SE_2_1", "sizes=224", "data.root=x"]
    )
    assert (said.classes, said.images, said.hold, said.blocks) == (["a", "b"], 7, False, ["SE_2_1"])
    assert (said.channels, said.draw_seed) == (50, 0)
    assert rest == ["sizes=224", "data.root=x"]
