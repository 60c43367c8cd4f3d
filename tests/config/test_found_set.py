"""A run is known by the pictures that it sees: same pictures, same key, wherever they lie; other pictures, another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf

from senet_repro.config import folder_cache, folder_fingerprint, found_set
from senet_repro.config.class_folders import (
    PictureFolder,
    describe_left_out,
    find_class_folders,
)
from senet_repro.config.composition import compose, run_as_stated, run_from
from senet_repro.config.found_set import check_set, confirm_set, fill_in_set, find_set
from senet_repro.config.identity import build_identity, run_key
from senet_repro.config.paper_tables import compose_cached
from senet_repro.config.schema import FoundSet, Run
from senet_repro.core.errors import ConfigError, DataError
from tests.conftest import SHARED_DATA

CLASSES = ("n01443537", "n01484850", "n01491361")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three classes of ImageNet with two training pictures and a validation picture each, as far as sizes tell."""
    for part, count in (("train", 2), ("val", 1)):
        for size, name in enumerate(CLASSES):
            folder = tmp_path / "set" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{number}.JPEG").write_bytes(b"x" * (10 + size + number))
    return tmp_path / "set"


def look(run: Run, root: Path) -> Run:
    """The run with its set at `root`, as composition fills it in; composing each time would take most of the time."""
    data = replace(run.data, root=str(root))
    run = replace(run, data=data, results_dir=f"{root.parent}/runs")
    fill_in_set(run)
    return run


def compose_run(root: Path, *overrides: str, batch_size: int = 2) -> Run:
    run = look(compose_cached("protocol=imagenet", *overrides), root)
    return replace(run, recipe=replace(run.recipe, batch_size=batch_size))


def picture(root: Path, part: str = "train") -> Path:
    return root / part / CLASSES[0] / "0.JPEG"


def add(path: Path, size: int = 5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"y" * size)


def test_a_run_knows_how_many_pictures_it_sees_and_its_key_which(root: Path) -> None:
    run = compose(
        [
            "protocol=imagenet",
            f"data.root={root}",
            f"results_dir={root.parent}/runs",
            "recipe.batch_size=2",
        ]
    )
    assert run == compose_run(root)
    assert run.data.found is not None
    counts = asdict(run.data.found)
    fingerprint = counts.pop("fingerprint")
    assert counts == {"classes": 3, "train_images": 6, "eval_images": 3, "encoding": None}
    assert build_identity(run)["data"]["fingerprint"] == fingerprint
    assert len(fingerprint) == 64


def copy_set(root: Path) -> Path:
    return Path(shutil.copytree(root, root.with_name("copy")))


def link_set(root: Path) -> Path:
    root.with_name("link").symlink_to(root)
    return root.with_name("link")


def link_classes(root: Path) -> Path:
    linked = root.with_name("linked")
    for part in ("train", "val"):
        (linked / part).mkdir(parents=True)
        for name in CLASSES:
            (linked / part / name).symlink_to(root / part / name)
    return linked


@pytest.mark.parametrize(
    "elsewhere",
    [
        copy_set,
        link_set,
        link_classes,
        lambda root: root.rename(root.with_name("moved")),
        lambda root: root / "train" / "..",
        lambda root: Path(os.path.relpath(root)),
    ],
)
def test_the_same_pictures_elsewhere_are_the_same_run(
    root: Path, elsewhere: Callable[[Path], Path]
) -> None:
    before = run_key(compose_run(root))
    assert run_key(compose_run(elsewhere(root))) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: add(root / "train" / CLASSES[0] / "9.png"),
        lambda root: add(picture(root), size=99),  # in place, which changes no folder
        lambda root: add(picture(root, "val"), size=99),
        lambda root: picture(root).unlink(),
        lambda root: picture(root).rename(picture(root).with_name("7.JPEG")),
        lambda root: picture(root).rename(root / "train" / CLASSES[1] / "7.JPEG"),
        lambda root: picture(root).rename(root / "val" / CLASSES[0] / "7.JPEG"),
        lambda root: [
            (root / part / CLASSES[0]).rename(root / part / "n01440764")
            for part in ("train", "val")
        ],
    ],
)
def test_other_pictures_are_another_run_and_a_written_one_refuses_them(
    root: Path, change: Callable[[Path], None]
) -> None:
    run = compose_run(root)
    confirm_set(run)
    written = OmegaConf.create(asdict(run))
    assert run_key(run_from(written)) == run_key(run)
    change(root)
    assert run_key(compose_run(root)) != run_key(run)
    with pytest.raises(ConfigError, match=r"no longer those that the run is known by \("):
        confirm_set(run)
    # As the process of a device reads it, and as a trained network is read.
    with pytest.raises(ConfigError, match=f"data.root={root}: its pictures are no longer"):
        run_from(written)
    assert run_key(run_as_stated(written)) == run_key(run)


def test_what_is_no_picture_changes_nothing_and_is_named(root: Path) -> None:
    before = run_key(compose_run(root))
    assert describe_left_out(find_class_folders(compose_run(root).data)) is None
    for name in ("a.webp", "b.bmp", ".DS_Store", "._0.JPEG", "more/0.JPEG"):
        add(root / "train" / CLASSES[0] / name)
    add(root / "val" / "readme.txt")
    add(root / "val" / ".ipynb_checkpoints" / "0.JPEG")
    run = compose_run(root)
    assert run_key(run) == before
    first, second, third = (f"train/{CLASSES[0]}/{name}" for name in ("a.webp", "b.bmp", "more"))
    assert describe_left_out(find_class_folders(run.data)) == (
        f"left out of {root}: 4 that are no files *.jpeg, *.jpg, *.png ({first}, {second}, {third} and 1 more) "
        f"and 3 hidden (train/{CLASSES[0]}/.DS_Store, train/{CLASSES[0]}/._0.JPEG, val/.ipynb_checkpoints)"
    )


def test_a_pipe_is_no_picture_and_a_link_to_itself_no_class(root: Path) -> None:
    pipe = root / "train" / CLASSES[0] / "pipe.png"
    os.mkfifo(pipe)
    data = compose_run(root).data
    said = describe_left_out(find_class_folders(data))
    assert said is not None
    assert said.endswith(f"(train/{CLASSES[0]}/pipe.png)")
    loop = root / "train" / "loop"
    loop.symlink_to("loop")
    with pytest.raises(DataError, match=f"{loop}: a link to nothing; mend it or remove it"):
        find_class_folders(data)


def test_without_data_a_run_is_composed_and_keeps_what_was_written_down(root: Path) -> None:
    run = compose_run(root)
    written = OmegaConf.create(asdict(run))
    shutil.rmtree(root)
    assert compose_run(root).data.found is None
    assert run_key(run_from(written)) == run_key(run)


def fill_train(root: Path, name: str) -> None:
    """Link a class to nothing, in both parts of the set."""
    for part in ("train", "val"):
        (root / part / name).symlink_to("/nonexistent")


def rename_classes(root: Path) -> None:
    for part in ("train", "val"):
        for name in CLASSES:
            (root / part / name).rename(root / part / f"kind_{name}")


WEIGHTS = (f"init.weights={__file__}", "init.source=timm")


@pytest.mark.parametrize(
    ("change", "overrides", "message"),
    [
        (shutil.rmtree, (), "there is no such folder; give the folder of the set"),
        (lambda root: shutil.rmtree(root / "val"), (), "no class folders in .*/val"),
        (
            lambda root: add(root / "train" / "n9" / "0.png"),
            (),
            "the same class folders; n9 is in one",
        ),
        (lambda root: fill_train(root, "n9"), (), "train/n9: a link to nothing; mend it or remove"),
        (
            lambda root: [path.unlink() for path in root.glob("train/*/*")],
            (),
            f"no images in .*/{CLASSES[0]}, .*/{CLASSES[1]}, .*/{CLASSES[2]}: looked for",
        ),
        (lambda root: None, ("data.classes=2",), "has 3 classes: give data.classes=3"),
        (rename_classes, WEIGHTS, "which of them is that of kind_.*WordNet ids, such as n01440764"),
        (lambda root: None, (*WEIGHTS, "data.classes=10"), "weights from outside have 10 outputs"),
    ],
)
def test_a_set_that_cannot_be_trained_on_is_refused_with_the_mend(
    root: Path, change: Callable[[Path], None], overrides: tuple[str, ...], message: str
) -> None:
    check_set(compose_run(root, *WEIGHTS))
    change(root)
    with pytest.raises(DataError, match=message):
        check_set(compose_run(root, *overrides))


def test_a_set_fills_a_batch(root: Path) -> None:
    check_set(compose_run(root, batch_size=6))
    with pytest.raises(DataError, match=r"6 training images, fewer than one batch: give .*=6 or"):
        check_set(compose_run(root, batch_size=8))


def test_folders_that_may_not_be_read_are_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may read everything, and tests may be root's.
    monkeypatch.setattr("os.access", lambda path, _: CLASSES[0] not in str(path))
    with pytest.raises(DataError, match=f"train/{CLASSES[0]}: not to be read; give yourself"):
        check_set(compose_run(root))


def test_a_set_that_nobody_named_is_asked_for() -> None:
    for protocol in ("imagenet", "cifar10"):
        with pytest.raises(DataError, match=r"give data.root=DIR"):
            check_set(compose_cached(f"protocol={protocol}"))


@pytest.mark.parametrize("overrides", [(), ("data.classes=3", *WEIGHTS)])
def test_classes_of_any_name_are_numbered_where_that_is_all_there_is_to_know(
    root: Path, overrides: tuple[str, ...]
) -> None:
    rename_classes(root)
    run = compose_run(root, *overrides)
    check_set(run)
    assert find_class_folders(run.data).labels == [0, 1, 2]


def test_a_missing_set_ends_a_command_before_anything_is_trained(
    root: Path, answer: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("senet_repro.cli.train.train_run", lambda *_: pytest.fail("trained"))
    given = answer("protocol=cifar10", "data.root=/nonexistent", f"results_dir={root}/runs")
    assert given.returncode == 2  # type: ignore[attr-defined]
    assert "no cifar10 in /nonexistent" in given.stderr  # type: ignore[attr-defined]
    assert not list((root / "runs").glob("cifar10*"))


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The class folders whose pictures were looked at one by one; every set counts as large, and as settled."""
    names: list[str] = []
    look = folder_fingerprint._look_at_files

    def note(folder: PictureFolder, state: list[int]) -> object:
        names.append(folder.key)
        return look(folder, state)

    monkeypatch.setattr(folder_fingerprint, "_look_at_files", note)
    monkeypatch.setattr(folder_cache, "LARGE_SET_IMAGES", 1)
    monkeypatch.setattr(folder_cache, "SETTLED_NS", 0)
    return names


def test_of_a_large_set_only_folders_that_changed_are_looked_at_again(
    root: Path, looked_at: list[str]
) -> None:
    run = compose_run(root)
    assert len(looked_at) == 6
    looked_at.clear()
    assert compose_run(link_set(root)).data.found == run.data.found
    assert looked_at == []
    add(root / "val" / CLASSES[1] / "new.png")
    assert compose_run(root).data.found != run.data.found
    assert looked_at == [f"val/{CLASSES[1]}"]
    # Before training each picture is looked at, so that one which was overwritten in place is found.
    add(picture(root), size=99)
    run = compose_run(root)
    with pytest.raises(DataError, match="other names or bytes"):
        confirm_set(run)
    assert run_key(compose_run(root)) != run_key(run)


def test_a_small_set_or_one_that_changed_just_now_is_not_remembered(
    root: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LARGE_SET_IMAGES", 100), ("SETTLED_NS", 3600 * 10**9)):
        with monkeypatch.context() as patch:
            patch.setattr(folder_cache, name, value)
            compose_run(root)
            compose_run(root)
        assert len(looked_at) == 12
        looked_at.clear()


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"train/n01443537": 3}', '{"train/n01443537": {"state": 1}}']
)
def test_a_damaged_cache_is_none(root: Path, looked_at: list[str], damage: str) -> None:
    before = compose_run(root)
    (cache,) = (root.parent / "runs" / found_set.CACHE).iterdir()
    cache.write_text(damage)
    looked_at.clear()
    assert compose_run(root).data.found == before.data.found
    assert looked_at


PARQUET = ("train-00000-of-00001.parquet", "test-00000-of-00001.parquet")
TORCHVISION = [f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)]
TORCHVISION += ["cifar-10-batches-py/test_batch", "cifar-10-batches-py/batches.meta"]


def compose_cifar(root: Path) -> Run:
    return look(compose_cached("protocol=cifar10"), root)


@pytest.mark.parametrize("files", [PARQUET, TORCHVISION])
@pytest.mark.parametrize("below", [".", "plain_text", "cifar10", "cifar10/plain_text"])
def test_cifar_is_known_by_its_bytes_wherever_a_download_put_it(
    tmp_path: Path, files: tuple[str, ...], below: str
) -> None:
    for name in files:
        add(tmp_path / "a" / name)
        add(tmp_path / "b" / below / name)
    first = compose_cifar(tmp_path / "a")
    check_set(first)
    assert run_key(compose_cifar(tmp_path / "b")) == run_key(first)
    assert run_key(compose_cifar(tmp_path / "a" / Path(files[0]).parent)) == run_key(first)
    changed = tmp_path / "a" / files[1]
    changed.write_bytes(b"z" * changed.stat().st_size)
    assert run_key(compose_cifar(tmp_path / "a")) != run_key(first)
    with pytest.raises(DataError, match="no longer those that the run is known by"):
        confirm_set(first)


def test_a_cifar_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    places = "there and in plain_text/, cifar10/ and cifar10/plain_text/"
    with pytest.raises(DataError, match=places):
        check_set(compose_cifar(tmp_path))
    add(tmp_path / TORCHVISION[0])
    with pytest.raises(DataError, match=r"cifar-10-batches-py is incomplete.*no data_batch_2"):
        check_set(compose_cifar(tmp_path))


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"no data in {SHARED_DATA}")
def test_the_real_cifar10_has_its_fingerprint() -> None:
    found = compose_cifar(SHARED_DATA / "cifar10").data.found
    assert found is not None
    assert (found.classes, found.train_images, found.eval_images) == (10, 50_000, 10_000)
    # Those pictures are no longer the published ones.
    assert found.encoding == "JPEG"


@pytest.mark.parametrize(
    ("first_bytes", "encoding"),
    [(b"\xff\xd8\xff\xe0", "JPEG"), (b"\x89PNG\r\n\x1a\n", None), (None, None)],
)
def test_pictures_that_were_encoded_with_a_loss_are_known_by_their_first_bytes(
    first_bytes: bytes | None, encoding: str | None, tmp_path: Path
) -> None:
    for name in PARQUET:
        rows = [{"bytes": first_bytes, "path": None}]
        pq.write_table(pa.table({"img": rows, "label": [0]}), tmp_path / name)
    run = compose_cifar(tmp_path)
    assert run.data.found is not None
    assert run.data.found.encoding == encoding
    assert build_identity(run)["data"].get("encoding") == encoding


def test_sets_that_are_read_from_no_files_have_no_fingerprint(root: Path) -> None:
    run = compose([f"data.root={root}"])
    assert run.data.found is None
    assert find_set(run.data, root) is None
    check_set(run)
    confirm_set(run)
    run.data.found = FoundSet(fingerprint="f" * 64, classes=10, train_images=1, eval_images=1)
    assert run_key(run_from(OmegaConf.create(asdict(run))))[:8] == "41f15140"
