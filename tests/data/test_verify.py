"""Images that cannot be read are all named before the first epoch, or left out, counted and recorded."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir, run_key
from senet_repro.config.schema import Data, Run
from senet_repro.core.errors import DataError, Stopped
from senet_repro.data import verify
from senet_repro.data.decode import decode_file
from senet_repro.data.folder import load_folders
from senet_repro.data.verify import corruption_error, find_corrupt_files
from senet_repro.execution.execute import train_to_record
from senet_repro.results.store import read_status

MakeData = Callable[..., Data]


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 9 // 10])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def another_kind(file: Path) -> None:
    file.write_text("<html>not found</html>")


def find(data: Data, cache: Path, workers: int = 0) -> list[str]:
    return find_corrupt_files(load_folders(data), workers, cache, lambda: None)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("damage", [cut_short, empty, another_kind])
def test_every_corrupt_file_is_found_by_any_number_of_processes(
    damage: Callable[[Path], None],
    workers: int,
    image_root: Path,
    make_data: MakeData,
    tmp_path: Path,
) -> None:
    data = make_data("imagenet", root=str(image_root))
    assert find(data, tmp_path / "sound", workers) == []
    broken = [image_root / "train" / "n02" / "3.JPEG", image_root / "val" / "n01" / "0.JPEG"]
    for file in broken:
        damage(file)
    assert find(data, tmp_path / "broken", workers) == [str(file) for file in broken]


def test_what_was_found_is_kept_and_a_changed_folder_or_a_mended_file_is_seen(
    image_root: Path, make_data: MakeData, tmp_path: Path
) -> None:
    data, cache = make_data("imagenet", root=str(image_root)), tmp_path / "cache"
    broken, sound = image_root / "val" / "n01" / "1.JPEG", image_root / "val" / "n01" / "2.JPEG"
    empty(broken)
    assert find(data, cache) == [str(broken)]
    (kept,) = cache.glob("*/found.json")
    found = json.loads(kept.read_text())
    kept.write_text(json.dumps({**found, "corrupt": [*found["corrupt"], 0]}))
    assert find(data, cache) == [str(broken)]  # the suspects alone were looked at, and one is sound
    broken.write_bytes(sound.read_bytes())  # mended in place
    assert find(data, cache) == []
    replacement = image_root / "val" / "n01" / "new"
    replacement.write_bytes(b"")
    os.utime(image_root / "val" / "n01", ns=(1, 1))
    replacement.replace(sound)
    assert find(data, cache) == [str(sound)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.8, 0.95, 0.99])
def test_a_file_cut_short_anywhere_is_found(
    kind: str, share: float, make_data: MakeData, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for part in ("train", "val"):
        folder = tmp_path / part / "n01"
        folder.mkdir(parents=True)
        Image.fromarray(pixels).save(folder / f"0.{kind}", kind)
    (broken,) = (tmp_path / "val" / "n01").iterdir()
    whole = broken.read_bytes()
    broken.write_bytes(whole[: int(share * len(whole))])
    assert find(make_data("imagenet", root=str(tmp_path)), tmp_path / "cache") == [str(broken)]


def test_a_search_that_was_ended_goes_on_where_it_was(
    image_root: Path, make_data: MakeData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_CHUNK", 2)
    monkeypatch.setattr(verify, "_QUIET_S", 0)
    data, seen = make_data("imagenet", root=str(image_root)), list[str]()
    files = [os.fsdecode(file) for part in load_folders(data) for file in part.files]
    empty(image_root / "train" / "n01" / "0.JPEG")

    def look(file: str) -> None:
        seen.append(file)
        decode_file(file)

    def enough() -> None:
        if len(seen) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(verify, "decode_file", look)
    with pytest.raises(KeyboardInterrupt):
        find_corrupt_files(load_folders(data), 0, tmp_path, enough)
    assert seen == files[:4]
    seen.clear()
    assert find(data, tmp_path) == files[:1]
    assert seen == [files[0], *files[4:]]  # what was corrupt is looked at again


def test_another_way_to_write_the_folder_finds_what_was_found(
    image_root: Path, make_data: MakeData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(image_root / "val" / "n01" / "1.JPEG")
    find(make_data("imagenet", root=str(image_root)), tmp_path / "cache")
    monkeypatch.chdir(image_root.parent)
    assert find(make_data("imagenet", root=image_root.name), tmp_path / "cache") == [
        f"{image_root.name}/val/n01/1.JPEG"
    ]
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.usefixtures("ends")
def test_a_signal_ends_a_run_that_is_still_looking_at_its_images(
    small_imagenet: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(file: str) -> None:
        decode_file(file)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(verify, "_CHUNK", 2)
    monkeypatch.setattr(verify, "decode_file", look)
    run = small_imagenet("data.verify=true", "trainer.num_workers=0")
    with pytest.raises(Stopped):
        train_to_record(run, print)
    assert read_status(run_dir(run))["state"] == "stopped"
    monkeypatch.setattr(verify, "decode_file", decode_file)
    assert train_to_record(run, print)[1].epochs == 1


def test_the_error_names_the_first_and_counts_the_others() -> None:
    error = str(corruption_error([f"{number}.JPEG" for number in range(7)]))
    assert error.startswith("0.JPEG, 1.JPEG, 2.JPEG, 3.JPEG, 4.JPEG and 2 more: not readable")
    assert "data.skip_corrupt=true" in error


@pytest.fixture
def small_imagenet(image_root: Path, tmp_path: Path) -> Callable[..., Run]:
    def make(*overrides: str) -> Run:
        fixed = [
            "protocol=imagenet",
            "model=resnet11",
            f"data.root={image_root}",
            f"results_dir={tmp_path / 'runs'}",
        ]
        sizes = [
            "data.train_px=24",
            "data.eval_px=24",
            "data.eval_resize_px=28",
            "recipe.batch_size=4",
        ]
        small = [
            "recipe.epochs=1",
            "trainer.accelerator=cpu",
            "trainer.num_workers=1",
            "trainer.threads=1",
        ]
        return compose([*fixed, *sizes, *small, *overrides])

    return make


def test_a_corrupt_image_fails_a_run_with_its_name_and_leaves_no_process(
    small_imagenet: Callable[..., Run], image_root: Path
) -> None:
    cut_short(image_root / "val" / "n02" / "2.JPEG")
    with pytest.raises(DataError, match=r"val/n02/2\.JPEG is not a readable image: fetch it again"):
        train_to_record(small_imagenet(), print)
    assert multiprocessing.active_children() == []


def test_verification_fails_a_run_before_its_first_step(
    small_imagenet: Callable[..., Run], image_root: Path
) -> None:
    cut_short(image_root / "val" / "n02" / "2.JPEG")
    cut_short(image_root / "train" / "n01" / "0.JPEG")
    run = small_imagenet("data.verify=true")
    with pytest.raises(
        DataError, match=r"train/n01/0\.JPEG, .*val/n02/2\.JPEG: not readable as images"
    ):
        train_to_record(run, print)
    assert not (run_dir(run) / "metrics.jsonl").exists()
    assert "data.skip_corrupt=true" in read_status(run_dir(run))["reason"]


@pytest.mark.parametrize(
    "devices", [1, pytest.param(2, marks=[pytest.mark.slow, pytest.mark.faults])]
)
def test_what_is_left_out_is_told_and_recorded(
    devices: int,
    small_imagenet: Callable[..., Run],
    image_root: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    broken = [image_root / "train" / "n01" / "0.JPEG", image_root / "val" / "n02" / "2.JPEG"]
    for file in broken:
        cut_short(file)
    (image_root / "train" / "n01" / "a.webp").touch()
    run = small_imagenet("data.skip_corrupt=true", f"trainer.devices={devices}")
    record = train_to_record(run, print)[1]
    assert record.skipped == {"train": [str(broken[0])], "test": [str(broken[1])]}
    assert record.eval_images == 5
    assert run_key(run) == run_key(small_imagenet())
    # The set as it lies there, with what could not be read.
    found = record.config["data"]["found"]
    assert found["fingerprint"] == record.protocol["data"]["fingerprint"]
    assert (found["classes"], found["train_images"], found["eval_images"]) == (2, 8, 6)
    said = capfd.readouterr().err
    assert said.count("left out 1 train and 1 test images that cannot be read") == 1
    assert said.count("1 that are no files *.jpeg, *.jpg, *.png (train/n01/a.webp)") == 1


def test_a_sound_set_is_the_same_verified_or_not(small_imagenet: Callable[..., Run]) -> None:
    plain = train_to_record(small_imagenet(), print)[1]
    shutil.rmtree(small_imagenet().results_dir)
    assert train_to_record(small_imagenet("data.verify=true"), print)[1].metrics == plain.metrics


def test_a_class_without_a_readable_image_is_an_error(
    small_imagenet: Callable[..., Run], image_root: Path
) -> None:
    for file in (image_root / "val" / "n02").iterdir():
        empty(file)
    with pytest.raises(
        DataError, match=r"no image of a class can be read, such as .*val/n02/0\.JPEG"
    ):
        train_to_record(small_imagenet("data.skip_corrupt=true"), print)


NOT_FOUND = [
    *("3", "null", "[1]", "{", '{"looked_at": 3}', '{"looked_at": 99, "corrupt": []}'),
    *(
        '{"looked_at": 3, "corrupt": [-1]}',
        '{"looked_at": 3, "corrupt": ["a"]}',
        '{"looked_at": "3", "corrupt": []}',
    ),
]


@pytest.mark.parametrize("content", NOT_FOUND)
def test_a_finding_that_is_none_is_found_anew(
    content: str, image_root: Path, make_data: MakeData, tmp_path: Path
) -> None:
    data, cache = make_data("imagenet", root=str(image_root)), tmp_path / "cache"
    empty(image_root / "val" / "n01" / "1.JPEG")
    first = find(data, cache)
    next(cache.glob("*/found.json")).write_text(content)
    assert find(data, cache) == first
