"""A run on COCO is known by its annotations and pictures; what is missing is named before anything is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from senet_repro.config import coco_files, folder_cache, folder_fingerprint
from senet_repro.config.coco_files import find_coco_parts
from senet_repro.config.found_set import check_set, confirm_set, fill_in_set, find_set
from senet_repro.config.identity import build_identity, run_key
from senet_repro.config.paper_tables import compose_cached
from senet_repro.config.schema import Data, FoundSet, Run
from senet_repro.core.errors import DataError
from tests.coco_sets import change_annotations, find_annotations, list_images, make_coco


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_coco(tmp_path_factory.mktemp("coco"))


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def compose_run(root: Path | None, batch_size: int = 4) -> Run:
    run = compose_cached("+experiment=coco")
    data = replace(run.data, root=root and str(root))
    recipe = replace(run.recipe, batch_size=batch_size)
    results_dir = str(root.parent / "runs") if root else "runs"
    run = replace(run, data=data, recipe=recipe, results_dir=results_dir)
    fill_in_set(run)
    return run


def test_a_run_knows_its_pictures(root: Path) -> None:
    run = compose_run(root)
    assert run.data.found is not None
    found = asdict(run.data.found)
    assert build_identity(run)["data"]["fingerprint"] == found.pop("fingerprint")
    assert found == {"classes": 80, "train_images": 12, "eval_images": 8, "encoding": None}
    check_set(run)
    with pytest.raises(DataError, match=r"12 training images, fewer than one batch"):
        check_set(compose_run(root, batch_size=16))


def move_into_images(root: Path) -> Path:
    for part in ("train2017", "val2017"):
        (root / "images").mkdir(exist_ok=True)
        (root / part).rename(root / "images" / part)
    return root


@pytest.mark.parametrize(
    "elsewhere",
    [
        move_into_images,
        lambda root: root.rename(root.with_name("moved")),
        lambda root: (root / "readme.txt").write_text("no picture") and root,
    ],
)
def test_the_same_set_elsewhere_is_the_same_run(
    root: Path, elsewhere: Callable[[Path], Path]
) -> None:
    before = run_key(compose_run(root))
    assert run_key(compose_run(elsewhere(root))) == before


def picture(root: Path, part: str = "train") -> Path:
    return root / f"{part}2017" / str(list_images(root, part)[0]["file_name"])


@pytest.mark.parametrize(
    "change",
    [
        lambda root: change_annotations(root, "train", lambda said: said["annotations"].pop()),
        lambda root: change_annotations(root, "val", lambda said: said["annotations"].reverse()),
        lambda root: picture(root).unlink(),
        lambda root: picture(root, "val").write_bytes(b"other"),
        lambda root: picture(root).rename(picture(root).with_name("1.jpg")),
        lambda root: picture(root).rename(root / "val2017" / "1.jpg"),
    ],
)
def test_another_set_is_another_run(root: Path, change: Callable[[Path], None]) -> None:
    run = compose_run(root)
    confirm_set(run)
    change(root)
    with pytest.raises(DataError, match="no longer those that the run is known by"):
        confirm_set(run)
    assert run_key(compose_run(root)) != run_key(run)


def remove_val(root: Path) -> None:
    shutil.rmtree(root / "val2017")
    find_annotations(root, "val").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "there is no such folder; give the folder of the set"),
        (lambda root: shutil.rmtree(root / "train2017"), r"no train2017/ there; unpack COCO's"),
        (remove_val, r"no annotations/instances_val2017.json and no val2017/ there"),
        (
            lambda root: [path.unlink() for path in (root / "val2017").iterdir()],
            r"no images in .*/val2017: looked for \*\.jpeg",
        ),
    ],
)
def test_what_is_missing_is_named(
    root: Path, change: Callable[[Path], object], message: str
) -> None:
    change(root)
    with pytest.raises(DataError, match=message):
        check_set(compose_run(root))


def test_a_set_that_nobody_named_is_asked_for() -> None:
    with pytest.raises(DataError, match=r"data\.root=DIR with DIR/annotations/instances_train2017"):
        check_set(compose_run(None))


def test_a_part_needs_no_other(root: Path) -> None:
    remove_val(root)
    (train,) = find_coco_parts(compose_run(root).data, ["train"])
    assert train.annotations.is_file()
    assert len(train.pictures.list_pictures()) == 12


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files and folders whose bytes were read; every set counts as large, and as settled."""
    names: list[str] = []

    def note(read: Callable[[Path, str], str]) -> Callable[[Path, str], str]:
        def look(path: Path, stamp: str) -> str:
            names.append(path.name)
            return read(path, stamp)

        return look

    hash_file = coco_files._hash_file.__wrapped__
    monkeypatch.setattr(coco_files, "_hash_file", note(hash_file))
    hash_folder = folder_fingerprint._hash_folder
    monkeypatch.setattr(folder_fingerprint, "_hash_settled_folder", note(hash_folder))
    monkeypatch.setattr(folder_cache, "LARGE_SET_BYTES", 1)
    monkeypatch.setattr(folder_cache, "SETTLED_NS", 0)
    return names


def test_of_a_set_seen_before_nothing_is_read_but_what_changed(
    root: Path, reads: list[str]
) -> None:
    def look() -> FoundSet | None:
        reads.clear()
        return find_set(compose_data(root), root.parent / "runs")

    first = look()
    assert sorted(reads) == [
        "instances_train2017.json",
        "instances_val2017.json",
        "train2017",
        "val2017",
    ]
    assert look() == first
    assert reads == []
    change_annotations(root, "val", lambda said: said["annotations"].pop())
    assert look() != first
    assert reads == ["instances_val2017.json"]
    picture(root).write_bytes(b"other")
    look()
    assert reads == ["train2017"]


def compose_data(root: Path) -> Data:
    return replace(compose_cached("+experiment=coco").data, root=str(root))
