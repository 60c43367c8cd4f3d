"""A set is decoded once for all processes, and what was kept is never other pixels than those of its files."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from senet_repro.config.found_set import find_set
from senet_repro.config.schema import Data
from senet_repro.data import cifar, sets
from senet_repro.data.images import Split
from senet_repro.data.set_cache import KeptSet
from senet_repro.data.sets import load_in_memory

MakeData = Callable[..., Data]
WriteParquet = Callable[..., None]
Png = Callable[..., bytes]


@pytest.fixture
def data(tmp_path: Path, make_data: MakeData, png: Png, write_parquet: WriteParquet) -> Data:
    """A set of three training images and one test image, known by its files."""
    write_parquet(tmp_path / "train-0.parquet", [png(0), png(1), png(2)], [3, 9, 7])
    write_parquet(tmp_path / "test-0.parquet", [png(3)], [1])
    data = make_data("cifar10", root=str(tmp_path), train_images=3, eval_images=1)
    data.found = find_set(data, tmp_path)
    return data


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were decoded, each time that one was."""
    files: list[str] = []
    read = cifar._read_shard

    def note(file: Path, *rest: object) -> object:
        files.append(file.name)
        return read(file, *rest)

    monkeypatch.setattr(cifar, "_read_shard", note)
    return files


def load_anew(data: Data, kept_in: Path | None) -> Split:
    """Load as a new process does."""
    sets._read_set.cache_clear()
    return load_in_memory(data, kept_in)


def assert_same(left: Split, right: Split) -> None:
    for ours, theirs in ((left.train, right.train), (left.test, right.test)):
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)
        assert ours.skipped == theirs.skipped


def change_facts(folder: Path, **changes: object) -> None:
    facts = json.loads((folder / "facts.json").read_text())
    (folder / "facts.json").write_text(json.dumps({**facts, **changes}))


def flip_a_bit(folder: Path) -> None:
    content = bytearray((folder / "pixels.npy").read_bytes())
    content[-5] ^= 1
    (folder / "pixels.npy").write_bytes(content)


def put_objects(folder: Path) -> None:
    np.save(folder / "pixels.npy", np.array([{}]), allow_pickle=True)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut short": lambda folder: os.truncate(folder / "pixels.npy", 5000),
    "a bit": flip_a_bit,
    "empty": lambda folder: (folder / "pixels.npy").write_bytes(b""),
    "objects": put_objects,
    "missing": lambda folder: (folder / "pixels.npy").unlink(),
    "no facts": lambda folder: (folder / "facts.json").unlink(),
    "no JSON": lambda folder: (folder / "facts.json").write_text("{"),
    "labels": lambda folder: change_facts(folder, labels=[3, 9, 8, 1]),
    "words": lambda folder: change_facts(folder, labels="3971"),
    "no count": lambda folder: change_facts(folder, train_images=None),
    "another count": lambda folder: change_facts(folder, train_images=2),
    "another origin": lambda folder: change_facts(folder, made_of={}),
}


def test_a_set_is_decoded_once(data: Data, decoded: list[str], tmp_path: Path) -> None:
    plain = load_anew(data, None)
    first = load_anew(data, tmp_path / "kept")
    assert len(decoded) == 4
    second = load_anew(data, tmp_path / "kept")
    assert len(decoded) == 4
    assert_same(first, plain)
    assert_same(second, plain)
    # As they lie in memory, a batch is cut out of them without another pass.
    assert second.train.images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_made_anew(
    damage: str, data: Data, decoded: list[str], tmp_path: Path
) -> None:
    # Not of pixels that are kept: they would be damaged in this process too.
    plain = load_anew(data, None)
    load_anew(data, tmp_path / "kept")
    (folder,) = (tmp_path / "kept").iterdir()
    DAMAGES[damage](folder)
    assert_same(load_anew(data, tmp_path / "kept"), plain)
    assert len(decoded) == 6
    load_anew(data, tmp_path / "kept")
    assert len(decoded) == 6
    assert sorted(path.name for path in folder.iterdir()) == ["facts.json", "lock", "pixels.npy"]


def test_code_and_libraries_that_changed_decode_anew(
    data: Data, decoded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_anew(data, tmp_path / "kept")
    monkeypatch.setattr("senet_repro.data.set_cache.version", lambda _library: "99")
    load_anew(data, tmp_path / "kept")
    monkeypatch.setattr("senet_repro.data.set_cache._CODE", ("cifar.py", "sets.py"))
    load_anew(data, tmp_path / "kept")
    assert len(decoded) == 6


def test_images_are_reduced_after_they_were_kept(
    data: Data, decoded: list[str], tmp_path: Path
) -> None:
    load_anew(data, tmp_path / "kept")
    data.px = data.train_px = data.eval_px = 8
    assert_same(load_anew(data, tmp_path / "kept"), load_anew(data, None))
    assert len(decoded) == 4


def test_images_that_are_left_out_are_named_each_time(
    data: Data,
    decoded: list[str],
    tmp_path: Path,
    png: Png,
    write_parquet: WriteParquet,
) -> None:
    write_parquet(tmp_path / "train-0.parquet", [png(0), b"no picture", png(2)], [3, 9, 7])
    data.skip_corrupt = True
    data.found = find_set(data, tmp_path)
    for _ in range(2):
        split = load_anew(data, tmp_path / "kept")
        assert split.train.skipped == (f"{tmp_path / 'train-0.parquet'}, row 1",)
    assert len(decoded) == 4


def test_files_that_change_while_they_are_decoded_are_not_kept(
    data: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    png: Png,
    write_parquet: WriteParquet,
) -> None:
    original = (tmp_path / "test-0.parquet").read_bytes()
    read = sets._decode_cifar

    def change_and_read(source: sets.Source) -> Split:
        write_parquet(tmp_path / "test-0.parquet", [png(4)], [2])
        return read(source)

    monkeypatch.setattr(sets, "_decode_cifar", change_and_read)
    assert load_anew(data, tmp_path / "kept").test.labels.tolist() == [2]
    monkeypatch.setattr(sets, "_decode_cifar", read)
    (tmp_path / "test-0.parquet").write_bytes(original)
    assert load_anew(data, tmp_path / "kept").test.labels.tolist() == [1]


def test_of_two_at_once_one_decodes_and_the_other_waits(data: Data, tmp_path: Path) -> None:
    assert data.found is not None
    plain = load_anew(data, None)
    kept = KeptSet(tmp_path / "kept", "cifar10", data.found.fingerprint)
    others: list[Split] = []

    def refuse() -> Split:
        raise AssertionError("decoded twice")

    def read_beside() -> None:
        others.append(kept.read_or_make(refuse, lambda: True))

    beside = threading.Thread(target=read_beside)

    def decode_slowly() -> Split:
        beside.start()
        # The other one finds the lock taken, looks at it for a moment, and then waits.
        beside.join(0.2)
        assert not others
        return plain

    kept.read_or_make(decode_slowly, lambda: True)
    beside.join()
    assert_same(others[0], plain)


@pytest.mark.parametrize("obstacle", ["no folder can be made", "no file can be written"])
def test_where_nothing_can_be_kept_a_line_says_so(
    obstacle: str,
    data: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = load_anew(data, None)
    kept_in = tmp_path / "kept"
    if obstacle == "no folder can be made":
        kept_in.write_text("a file in its place")
    else:
        full = OSError(28, "No space left on device")
        monkeypatch.setattr(np, "save", lambda *_args, **_options: (_ for _ in ()).throw(full))
    assert_same(load_anew(data, kept_in), plain)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("decoded pictures are not kept for other processes: ")
    assert not list(tmp_path.rglob("*.tmp"))
