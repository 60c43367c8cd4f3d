"""Any folder of pictures is a set: its layouts, its lists of classes, and what it is known by."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from senet_repro.config import folder_cache, folder_fingerprint
from senet_repro.config.class_folders import EVAL, describe_left_out, find_class_folders
from senet_repro.config.composition import compose, compose_config, run_as_stated, run_from
from senet_repro.config.found_set import check_set, confirm_set
from senet_repro.config.identity import run_key
from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError, DataError

CLASSES = ("cat", "dog", "frog")
STATISTICS = ("data.mean=[1,2,3]", "data.std=[4,5,6]")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three classes with two training pictures and an evaluation picture each, as far as names tell."""
    for name in CLASSES:
        for path in (f"train/{name}/0.png", f"train/{name}/1.png", f"val/{name}/{name}.png"):
            write(tmp_path / "pets" / path, name)
    return tmp_path / "pets"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# Hydra takes most of the time of composing.
compose_config_once = cache(lambda *overrides: compose_config(overrides))


def compose_folder(root: Path, *overrides: str) -> Run:
    settings = ["model=resnet50", "data=folder", "recipe.batch_size=2"]
    config = copy.deepcopy(compose_config_once(*settings, *overrides))
    config.data.root, config.results_dir = str(root), f"{root.parent}/runs"
    return run_from(config)


def list_eval_classes(root: Path) -> dict[str, str]:
    """The class of each evaluation picture by its name."""
    classes = find_class_folders(compose_folder(root, *STATISTICS).data)
    found = {}
    for folder in classes.list_folders(EVAL):
        pictures = folder.list_pictures()
        found |= dict(zip(pictures, folder.name_classes(pictures), strict=True))
    return found


def flatten(root: Path, folder: str = "val") -> None:
    """Put the evaluation pictures into one folder."""
    for name in CLASSES:
        picture = root / "val" / name / f"{name}.png"
        write(root / folder / picture.name, picture.read_text())
        picture.unlink()
        picture.parent.rmdir()


def lay_out_as_tiny_imagenet(root: Path) -> None:
    flatten(root, "val/images")
    lines = [f"{name}.png\t{name}\t0\t0\t62\t62\n" for name in CLASSES]
    write(root / "val" / "val_annotations.txt", "".join(lines))
    for name in CLASSES:
        inner = root / "train" / name / "images"
        inner.mkdir()
        for number in range(2):
            (root / "train" / name / f"{number}.png").rename(inner / f"{number}.png")
        write(inner.parent / f"{name}_boxes.txt", "0.png 0 0 62 62")


def lay_out_as_places(root: Path) -> None:
    flatten(root)
    write(root / "val.txt", "".join(f"{name}.png {i}\n" for i, name in enumerate(CLASSES)))


def lay_out_with_commas(root: Path) -> None:
    flatten(root)
    write(root / "val" / "labels.txt", "\n".join(f"{name}.png, {name}" for name in CLASSES))


@pytest.mark.parametrize(
    "lay_out",
    [
        lambda root: None,
        lambda root: (root / "val").rename(root / "validation"),
        lambda root: (root / "val").rename(root / "test"),
        lambda root: write(root / "test" / "0.png", "of nobody knows what"),
        lay_out_as_tiny_imagenet,
        lay_out_as_places,
        lay_out_with_commas,
    ],
)
def test_a_set_is_read_in_each_layout(root: Path, lay_out: Callable[[Path], None]) -> None:
    lay_out(root)
    run = compose_folder(root, *STATISTICS)
    assert list_eval_classes(root) == {f"{name}.png": name for name in CLASSES}
    data = run.data
    assert (data.classes, data.train_images, data.eval_images) == (3, 6, 3)
    assert data.title == "pets"
    assert describe_left_out(find_class_folders(data)) is None
    check_set(run)
    confirm_set(run)
    # As the process of a device reads it, and as a trained network is read.
    written = OmegaConf.create(asdict(run))
    assert run_from(written) == run
    assert run_as_stated(written) == run


def state_other_class(root: Path) -> None:
    (listing,) = (root / "val").glob("*.txt")
    listing.write_text(listing.read_text().replace("\tcat", "\tdog"))


def change_a_byte(root: Path) -> None:
    picture = root / "train" / "cat" / "images" / "1.png"
    picture.write_text("cut")


@pytest.mark.parametrize("change", [state_other_class, change_a_byte])
def test_other_labels_and_other_bytes_are_another_run(
    root: Path, change: Callable[[Path], None]
) -> None:
    lay_out_as_tiny_imagenet(root)
    run = compose_folder(root, *STATISTICS)
    change(root)
    assert run_key(compose_folder(root, *STATISTICS)) != run_key(run)
    with pytest.raises(DataError, match=r"known by \(other names or bytes\)"):
        confirm_set(run)


def test_of_a_part_that_is_too_large_names_and_sizes_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LARGE_SET_BYTES", 1), ("SETTLED_NS", 0)):
        monkeypatch.setattr(folder_cache, name, value)
    # What was read when all bytes counted is kept, and counts no more.
    by_bytes = run_key(compose_folder(root, *STATISTICS))
    monkeypatch.setattr(folder_fingerprint, "MOST_BYTES_READ", 15)
    before = run_key(compose_folder(root, *STATISTICS))
    assert before != by_bytes
    # The training part has 20 bytes, the evaluation part 10.
    for path, changes in (("train/cat/0.png", False), ("val/cat/cat.png", True)):
        (root / path).write_text("cut")
        assert (run_key(compose_folder(root, *STATISTICS)) != before) == changes


def test_bytes_are_read_once_and_again_once_a_file_was_written_to(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    look = folder_fingerprint.read_bytes
    monkeypatch.setattr(
        folder_fingerprint, "read_bytes", lambda path: read.append(path) or look(path)
    )
    monkeypatch.setattr(folder_cache, "LARGE_SET_BYTES", 1)
    monkeypatch.setattr(folder_cache, "SETTLED_NS", 0)
    first = compose_folder(root, *STATISTICS)
    assert len(read) == 9
    # A later process has only what was kept beside the results.
    folder_fingerprint._hash_settled_folder.cache_clear()
    confirm_set(first)
    assert len(read) == 9
    (root / "train" / "dog" / "1.png").write_text("dig or else")
    assert compose_folder(root, *STATISTICS).data.found != first.data.found
    assert len(read) == 11


def remove_list(root: Path) -> None:
    (root / "val" / "val_annotations.txt").unlink()


def write_list(*lines: str) -> Callable[[Path], None]:
    text = "\n".join(lines)
    return lambda root: write(root / "val" / "val_annotations.txt", text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            remove_list,
            r"no class folders in .*/val: looked for .*, or for pictures and one list of",
        ),
        (lambda root: write(root / "val" / "b.txt", ""), "several text files, b.txt, val_annot"),
        (write_list("cat.png"), "line 1: give a file and its class, such as 0.JPEG n01"),
        (write_list(""), "is empty: give a line for each picture"),
        (write_list("cat.png cat", "cat.png dog"), "line 2: cat.png is of another class in a line"),
        (write_list("cat.png cow"), "cow is the name of no class folder; give those, or numbers"),
        (
            write_list("cat.png 1", "dog.png 2", "frog.png 3"),
            "are 1 to 3, .* 3 class folders are 0",
        ),
        (write_list("cat.png 1", "dog.png 2", "frog.png 2"), "are 1 to 2, and those of 3 class"),
        (write_list("cat.png cat"), r"dog.png, frog.png in no line of the list of classes; add a"),
        (
            lambda root: (root / "val/images/cat.png").unlink(),
            "no cat.png, which the list of classes",
        ),
    ],
)
def test_a_list_that_leaves_a_question_is_refused(
    root: Path, change: Callable[[Path], None], message: str
) -> None:
    lay_out_as_tiny_imagenet(root)
    change(root)
    with pytest.raises(DataError, match=message):
        compose_folder(root, *STATISTICS)


@pytest.mark.parametrize("layout", [lambda root: None, lay_out_as_tiny_imagenet])
def test_the_evaluation_part_is_read_alone(root: Path, layout: Callable[[Path], None]) -> None:
    layout(root)
    data = compose_folder(root, *STATISTICS).data
    whole = find_class_folders(data)
    (root / "train").rename(root / "elsewhere")
    alone = find_class_folders(data, [EVAL])
    assert (alone.names, alone.labels) == (whole.names, whole.labels)
    assert alone.folders == whole.list_folders(EVAL)


def remove_all_but_one_class(root: Path) -> None:
    for part in ("train", "val"):
        for name in CLASSES[1:]:
            (root / part / name).rename(root.parent / f"{part}-{name}")


@pytest.mark.parametrize(
    ("change", "overrides", "message"),
    [
        (None, (), r"data-stats data=folder 'data.root=.*/my pets'` measures"),
        (None, STATISTICS[:1], "data.mean and data.std of .* are not known: give both"),
        (None, (*STATISTICS, "data.classes=2"), "has 3 classes: give data.classes=3"),
        (None, (*STATISTICS, "model=resnet29"), "made for images of 32 px, not for folder's"),
        (remove_all_but_one_class, STATISTICS, "there is one class, and a network tells two apart"),
        (lambda root: root.rename(root.with_name("gone")), STATISTICS, "there is no such folder"),
    ],
)
def test_a_folder_that_cannot_be_trained_on_is_refused_with_the_mend(
    root: Path,
    change: Callable[[Path], object] | None,
    overrides: tuple[str, ...],
    message: str,
) -> None:
    root = root.rename(root.with_name("my pets"))
    if change is not None:
        change(root)
    with pytest.raises(ConfigError, match=message):
        compose_folder(root, *overrides)


def test_a_folder_that_nobody_named_is_asked_for() -> None:
    with pytest.raises(DataError, match=r"folder is read from class folders: give data\.root=DIR"):
        compose(["data=folder", *STATISTICS])


def test_a_network_may_have_more_outputs_than_the_folder_has_classes(root: Path) -> None:
    data = compose_folder(root, *STATISTICS, "data.classes=1000").data
    assert data.classes == 1000
    assert find_class_folders(data).labels == [0, 1, 2]
