import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import cifar as torchvision_cifar

from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.data.cifar import load_cifar
from senet_repro.data.sets import load_in_memory

MakeData = Callable[..., Data]
WriteParquet = Callable[..., None]
Png = Callable[..., bytes]
SHARED_CIFAR = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cifar10"


@pytest.mark.parametrize(("name", "column"), [("cifar10", "label"), ("cifar100", "fine_label")])
def test_parquet_shards_are_read_in_order(
    name: str, column: str, tmp_path: Path, png: Png, write_parquet: WriteParquet
) -> None:
    write_parquet(tmp_path / "train-00001-of-00002.parquet", [png(2)], [7], column)
    write_parquet(tmp_path / "train-00000-of-00002.parquet", [png(0), png(1)], [3, 9], column)
    write_parquet(tmp_path / "test-00000-of-00001.parquet", [png(3)], [1], column)
    split = load_cifar(name, str(tmp_path), download=False)
    assert split.train.images.shape == (3, 3, 32, 32)
    assert split.train.labels.tolist() == [3, 9, 7]
    expected = torch.from_numpy(np.array(Image.open(BytesIO(png(2))))).permute(2, 0, 1)
    assert torch.equal(split.train.images[2], expected)
    assert split.test.labels.tolist() == [1]


def test_a_part_of_a_set_is_refused(
    tmp_path: Path, make_data: MakeData, png: Png, write_parquet: WriteParquet
) -> None:
    write_parquet(tmp_path / "train-00000-of-00002.parquet", [png(0), png(1)], [3, 9])
    write_parquet(tmp_path / "test-00000-of-00001.parquet", [png(3)], [1])
    with pytest.raises(
        ValueError, match="holds 2 training and 1 test images where cifar10 has 50,000 and 10,000"
    ):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))


def test_torchvision_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.arange(4 * 3072, dtype=np.int64).astype(np.uint8).reshape(4, 3072)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for i, name in enumerate([f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"]):
        (folder / name).write_bytes(pickle.dumps({"data": pixels + i, "labels": [0, 1, 2, i]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a", "b", "c"]}))
    monkeypatch.setattr(torchvision_cifar, "check_integrity", lambda *_: True)
    split = load_cifar("cifar10", str(tmp_path), download=False)
    assert split.train.images.shape == (20, 3, 32, 32)
    assert split.train.images[4].flatten().tolist() == (pixels[0] + 1).tolist()
    assert split.test.labels.tolist() == [0, 1, 2, 5]


def test_an_unset_root_says_what_to_give(make_data: MakeData) -> None:
    with pytest.raises(
        ValueError, match=r"cifar-10-batches-py: give data\.root=DIR, and data\.download=true"
    ):
        load_in_memory(make_data("cifar10"))


def test_an_empty_root_says_what_was_looked_for(tmp_path: Path, make_data: MakeData) -> None:
    message = (
        rf"{tmp_path}: looked for train-\*\.parquet and test-\*\.parquet and for cifar-100-python/"
    )
    with pytest.raises(ValueError, match=message):
        load_in_memory(make_data("cifar100", root=str(tmp_path)))


def test_half_a_set_says_which_half_is_missing(
    tmp_path: Path, make_data: MakeData, png: Png, write_parquet: WriteParquet
) -> None:
    write_parquet(tmp_path / "train-0.parquet", [png(0)], [0])
    with pytest.raises(ValueError, match=r"looked for test-\*\.parquet and for"):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))


def test_a_damaged_torchvision_folder_is_refused(tmp_path: Path, make_data: MakeData) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(
        ValueError,
        match=r"cifar-10-batches-py is incomplete, damaged or out of reach.*data\.download=true",
    ):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))


def test_nothing_is_fetched_unasked(
    tmp_path: Path, make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(torchvision_cifar.CIFAR10, "download", lambda self: asked.append(self.root))
    with pytest.raises(ValueError, match="no cifar10"):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))
    assert not asked
    with pytest.raises(ValueError, match="incomplete"):
        load_in_memory(make_data("cifar10", root=str(tmp_path), download=True))
    assert asked


def test_a_corrupt_image_is_named(
    tmp_path: Path, make_data: MakeData, png: Png, write_parquet: WriteParquet
) -> None:
    write_parquet(tmp_path / "train-0.parquet", [png(0), b"no picture"], [0, 1])
    write_parquet(tmp_path / "test-0.parquet", [b""], [0])
    with pytest.raises(ValueError, match=r"train-0\.parquet, row 1: not a readable image"):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))
    write_parquet(tmp_path / "train-0.parquet", [png(0)], [0])
    with pytest.raises(ValueError, match=r"test-0\.parquet, row 0: not a readable image"):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))


def test_corrupt_rows_may_be_left_out_and_are_named(
    tmp_path: Path, make_data: MakeData, png: Png, write_parquet: WriteParquet
) -> None:
    write_parquet(tmp_path / "train-0.parquet", [png(0), b"no picture", png(1)], [0, 1, 2])
    write_parquet(tmp_path / "test-0.parquet", [png(2)], [3])
    described = {"root": str(tmp_path), "skip_corrupt": True, "train_images": 3, "eval_images": 1}
    split = load_in_memory(make_data("cifar10", **described))
    assert split.train.labels.tolist() == [0, 2]
    assert split.train.skipped == (f"{tmp_path / 'train-0.parquet'}, row 1",)
    assert (len(split.train), len(split.test), split.test.skipped) == (2, 1, ())
    with pytest.raises(
        DataError, match="holds 3 training and 1 test images where cifar10 has 4 and 1"
    ):
        load_in_memory(make_data("cifar10", **{**described, "train_images": 4}))


def test_an_image_of_another_size_is_named(
    tmp_path: Path, make_data: MakeData, png: Png, write_parquet: WriteParquet
) -> None:
    write_parquet(tmp_path / "train-0.parquet", [png(0, side=28)], [0])
    write_parquet(tmp_path / "test-0.parquet", [png(0)], [0])
    with pytest.raises(ValueError, match=r"train-0\.parquet, row 0: 28 x 28 px where 32 x 32"):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))


@pytest.mark.parametrize("damage", ["truncated", "foreign", "columns", "labels", "empty"])
def test_a_file_that_is_no_cifar_is_named(
    damage: str, tmp_path: Path, make_data: MakeData, png: Png, write_parquet: WriteParquet
) -> None:
    train, test = tmp_path / "train-0.parquet", tmp_path / "test-0.parquet"
    write_parquet(train, [png(0)], [0])
    write_parquet(test, [png(0)], [0])
    if damage == "truncated":
        train.write_bytes(train.read_bytes()[:-100])
        message = "is not a whole parquet file"
    elif damage == "foreign":
        train.write_text("hello")
        message = "is not a whole parquet file"
    elif damage == "columns":
        write_parquet(train, [png(0)], [0], "coarse_label")
        message = r"must have columns img \(bytes, path\) and label"
    elif damage == "labels":
        write_parquet(train, [png(0)], ["cat"])
        message = r"must have columns img \(bytes, path\) and label \(integer\)"
    else:
        write_parquet(train, [], [])
        message = "must have columns|holds no images"
    with pytest.raises(ValueError, match=rf"train-0\.parquet ({message})"):
        load_in_memory(make_data("cifar10", root=str(tmp_path)))


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_CIFAR.is_dir(), reason=f"no CIFAR-10 in {SHARED_CIFAR}")
def test_the_real_cifar10_is_balanced(make_data: MakeData) -> None:
    split = load_in_memory(make_data("cifar10", root=str(SHARED_CIFAR)))
    assert split.train.labels.bincount().tolist() == [5000] * 10
    assert split.test.labels.bincount().tolist() == [1000] * 10
    means = split.train.images.float().mean((0, 2, 3))
    assert torch.allclose(means, torch.tensor([125.3, 123.0, 113.9]), atol=0.5)
