"""Places365 in each layout that it comes in: its classes, numbers and pictures, and lists that are not theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from senet_repro.config.class_folders import describe_left_out, find_class_folders
from senet_repro.config.folder_cache import FolderCache
from senet_repro.config.folder_fingerprint import fingerprint_folders, fingerprint_part
from senet_repro.config.picture_folders import EVAL, TRAIN
from senet_repro.config.places_files import ListedFolder
from senet_repro.config.schema import Data, FoundSet
from senet_repro.core.errors import ConfigError, DataError
from tests.places import CATEGORIES, NAMES, lay_out_folders, lay_out_lists

MakeData = Callable[..., Data]
TRAIN_LIST = "places365_train_standard.txt"


@pytest.fixture
def find_data(tmp_path: Path, make_data: MakeData) -> MakeData:
    def find(**settings: object) -> Data:
        settings = {"subset": "standard", "classes": 3, "root": str(tmp_path), **settings}
        return make_data("imagenet", name="places365", **settings)

    return find


def list_pictures(data: Data, part: str) -> dict[str, int]:
    """The label of each picture of a part, by its place below the root."""
    found = find_class_folders(data)
    labels = {}
    for folder in found.list_folders(part):
        pictures = folder.list_pictures()
        for picture, name in zip(pictures, folder.name_classes(pictures), strict=True):
            place = (folder.path / picture).relative_to(found.root)
            labels[str(place)] = found.numbers[name]
    return labels


def fingerprint(data: Data) -> FoundSet:
    return fingerprint_folders(data, FolderCache.open(Path(f"{data.root}-sets"), data.root or ""))


@pytest.mark.parametrize(
    ("subset", "train", "evaluation", "lists"),
    [
        ("standard", "data_256", "val_256", "."),
        ("standard", "data_large", "val_large", "filelist_places365-standard"),
        ("standard", "data_256_standard", "val_256", "."),
        ("challenge", "data_256_challenge", "val_256", "filelist_places365-challenge"),
        ("challenge", "data_large_challenge", "val_large", "."),
        # Archives that unpack to another subset's name, or into a folder within.
        ("challenge", "data_large", "val_large", "."),
        ("challenge", "data_large_challenge/data_large", "val_large/val_large", "."),
        ("standard", "data_256/data_256", "val_256/val_256", "."),
    ],
)
def test_lists_tell_the_pictures_of_each_layout(
    subset: str, train: str, evaluation: str, lists: str, tmp_path: Path, find_data: MakeData
) -> None:
    lay_out_lists(tmp_path, subset=subset, train=train, evaluation=evaluation, lists=lists)
    data = find_data(subset=subset)
    found = find_class_folders(data)
    assert (found.names, found.labels) == ([*NAMES], [0, 1, 2])
    assert list_pictures(data, TRAIN) == {
        f"{train}{category}/{picture:08}.jpg": number
        for number, category in enumerate(CATEGORIES)
        for picture in (1, 2)
    }
    assert list_pictures(data, EVAL) == {
        f"{evaluation}/Places365_val_{3 - number:08}.jpg": number for number in range(3)
    }
    assert describe_left_out(found) is None
    counts = fingerprint(data)
    assert (counts.classes, counts.train_images, counts.eval_images) == (3, 6, 3)


def test_class_folders_are_read_as_those_of_any_set(tmp_path: Path, find_data: MakeData) -> None:
    lay_out_folders(tmp_path)
    # A list among them is no other layout.
    (tmp_path / "categories_places365.txt").write_text("/a/airfield 0\n")
    found = find_class_folders(find_data())
    assert found.names == ["airfield", "apartment_building-outdoor", "beach"]
    assert len(list_pictures(find_data(), TRAIN)) == 6


def test_classes_keep_their_numbers_where_others_have_no_picture(
    tmp_path: Path, find_data: MakeData
) -> None:
    numbers = {"/a/airfield": 0, "/a/alley": 1, CATEGORIES[1]: 2, "/b/bar": 3, "/b/beach": 4}
    lay_out_lists(tmp_path / "set", categories=numbers)
    data = find_data(classes=5, root=str(tmp_path / "set"))
    found = find_class_folders(data)
    assert (found.names, found.labels) == ([*NAMES], [0, 2, 4])
    assert found.is_numbered
    # Other numbers are another set, though the same pictures come in the same order.
    others = {"/a/airfield": 0, CATEGORIES[1]: 1, "/b/bar": 2, "/b/bay": 3, "/b/beach": 4}
    lay_out_lists(tmp_path / "other", categories=others)
    assert fingerprint(find_data(classes=5, root=str(tmp_path / "other"))) != fingerprint(data)


@pytest.mark.parametrize("part", [TRAIN, EVAL])
def test_each_part_is_read_alone(part: str, tmp_path: Path, find_data: MakeData) -> None:
    lay_out_lists(tmp_path)
    data = find_data()
    whole = find_class_folders(data)
    cache = FolderCache.open(tmp_path / "sets", str(tmp_path))
    before = fingerprint_part(data, part, cache)
    other = "val_256" if part == TRAIN else "data_256"
    (tmp_path / other).rename(tmp_path / "elsewhere")
    alone = find_class_folders(data, [part])
    assert (alone.names, alone.labels) == (whole.names, whole.labels)
    assert alone.folders == whole.list_folders(part)
    assert fingerprint_part(data, part, cache) == before


def test_a_set_is_known_by_its_pictures_and_their_classes_wherever_it_lies(
    tmp_path: Path, find_data: MakeData
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    lay_out_lists(first)
    lay_out_lists(second, train="data_256_standard", lists="filelist_places365-standard")
    before = fingerprint(find_data(root=str(first)))
    assert fingerprint(find_data(root=str(second))) == before
    stated = second / "filelist_places365-standard" / "places365_val.txt"
    # The first two pictures change their classes.
    stated.write_text(
        "\n".join(["Places365_val_00000003.jpg 1", *stated.read_text().split("\n")[1:]])
    )
    stated.write_text(stated.read_text().replace("00000002.jpg 1", "00000002.jpg 0"))
    assert fingerprint(find_data(root=str(second))) != before
    # Large pictures have other bytes.
    (first / "data_256/b/beach/00000002.jpg").write_text("the same in large")
    assert fingerprint(find_data(root=str(first))) != before


def change_line(file: str, before: str, after: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert before in text
        (root / file).write_text(text.replace(before, after))

    return change


def add_picture(place: str) -> Callable[[Path], object]:
    return lambda root: (root / place).write_text("a picture")


def remove(place: str) -> Callable[[Path], object]:
    return lambda root: (root / place).unlink()


def add_folder(place: str) -> Callable[[Path], object]:
    return lambda root: (root / place).mkdir()


WRONG = [
    (remove("categories_places365.txt"), r"no categories_places365.txt in .* or a folder filelist"),
    (remove(TRAIN_LIST), rf"no {TRAIN_LIST} in .*: fetch the lists of Places365$"),
    (remove("places365_val.txt"), "no places365_val.txt in "),
    (
        lambda root: (root / "data_256").rename(root / "data"),
        "looked for data_256_standard/, data_l",
    ),
    (
        lambda root: (root / "val_256").rename(root / "test_256"),
        "looked for val_256/, val_large/ or",
    ),
    (lambda root: (root / "val_256").rename(root / "val_large"), "two sizes: put val_256/ there"),
    (add_folder("data_large"), "data_256/ and data_large/, the same pictures in two sizes, which"),
    (add_folder("train"), "train/ and data_256/, which are two forms of Places365: leave one"),
    (
        change_line(TRAIN_LIST, "2.jpg 1", "2.jpg"),
        r"standard.txt, line 4: give a name and a number",
    ),
    (change_line(TRAIN_LIST, "2.jpg 1", "2.jpg one"), r"line 4: give a picture and the number of"),
    (
        change_line(TRAIN_LIST, "2.jpg 1", "2.jpg 3"),
        r"line 4: no category has the number 3, see cat",
    ),
    (change_line(TRAIN_LIST, "2.jpg 1", "2.jpg 0"), r"line 4: /a/apart\S+ has the number 1 in cat"),
    (change_line(TRAIN_LIST, "/b/beach", "/b/bar"), r"line 5: /b/bar is no category of categories"),
    (
        change_line(TRAIN_LIST, "beach/00000002", "beach/00000003"),
        r"line 6: there is no .*00003.jpg",
    ),
    (
        change_line(TRAIN_LIST, "beach/00000002", "beach/00000001"),
        r"line 6: 00000001.jpg stands in",
    ),
    (remove("data_256/a/airfield/00000001.jpg"), r"line 1: there is no .*airfield/00000001.jpg;"),
    (add_picture("data_256/b/beach/9.jpg"), rf"beach: 9.jpg in no line of .*{TRAIN_LIST}; add"),
    (
        lambda root: (root / "data_256/b/beach").rename(root / "data_256/b/bar"),
        r"line 5: there is no folder .*data_256/b/beach; fetch it again",
    ),
    (
        change_line("places365_val.txt", ".jpg 1", ".jpg"),
        r"val.txt, line 2: give a name and a number",
    ),
    (change_line("places365_val.txt", ".jpg 1", ".jpg 7"), r"val.txt, line 2: no category has the"),
    (
        change_line("places365_val.txt", "_val_", "_test_"),
        r"line 1: there is no .*Places365_test_0",
    ),
    (
        change_line("places365_val.txt", "00000002", "00000003"),
        r"line 2: Places365_val_00000003.jpg s",
    ),
    (
        change_line("places365_val.txt", ".jpg 2", ".jpg 1"),
        "the same classes in both parts; /b/beach",
    ),
    (add_picture("val_256/4.jpg"), "val_256: 4.jpg in no line of .*places365_val.txt; add"),
    (
        change_line("categories_places365.txt", "/b/beach 2\n", ""),
        r"has 2 categories and not data.classes=3: fetch it again, or give data.classes=2",
    ),
    (
        change_line("categories_places365.txt", "beach 2", "beach 3"),
        r"line 3: the number 3 is beyond",
    ),
    (
        change_line("categories_places365.txt", "beach 2", "beach 1"),
        r"line 3: its category or number",
    ),
    (change_line("categories_places365.txt", "/b/beach", "beach"), r"line 3: give a category and"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_lists_that_are_not_those_of_the_pictures_are_refused_by_file_and_line(
    change: Callable[[Path], object], message: str, tmp_path: Path, find_data: MakeData
) -> None:
    lay_out_lists(tmp_path)
    change(tmp_path)
    with pytest.raises(DataError, match=message):
        fingerprint(find_data())


def test_the_list_of_another_subset_names_the_mend(tmp_path: Path, find_data: MakeData) -> None:
    lay_out_lists(tmp_path)
    with pytest.raises(DataError, match=r"or give data\.subset=standard, whose list"):
        find_class_folders(find_data(subset="challenge"))


def test_a_list_is_read_once_and_again_once_it_was_written_to(
    tmp_path: Path, find_data: MakeData
) -> None:
    lay_out_lists(tmp_path)

    def find_listed() -> list[int]:
        folders = find_class_folders(find_data(), [TRAIN]).folders
        return [id(folder.pictures) for folder in folders if isinstance(folder, ListedFolder)]

    assert find_listed() == find_listed()
    change_line(TRAIN_LIST, "/b/beach/00000002.jpg 2\n", "")(tmp_path)
    with pytest.raises(DataError, match=rf"00000002.jpg in no line of .*{TRAIN_LIST}"):
        list_pictures(find_data(), TRAIN)


def test_a_folder_that_nobody_named_is_asked_for(find_data: MakeData) -> None:
    with pytest.raises(ConfigError, match=r"give data\.root=DIR with DIR/train and DIR/val, or"):
        find_class_folders(find_data(root=None))
