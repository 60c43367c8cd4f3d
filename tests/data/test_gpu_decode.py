"""Pictures decoded on the device that trains, with the CPU in its place: the same batches, whatever a file holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from senet_repro.config.schema import Data
from senet_repro.core.errors import ConfigError, DataError
from senet_repro.data import gpu_decode
from senet_repro.data.crops import train_transform
from senet_repro.data.decode import decode_rgb
from senet_repro.data.folder import FolderBatches, TrainFolderBatches, load_folders
from senet_repro.data.gpu_decode import find_gpu_decoder
from senet_repro.data.order import Share, TrainSteps

CPU = torch.device("cpu")


@pytest.fixture
def data(make_data: Callable[..., Data], image_root: Path) -> Data:
    return make_data("imagenet", root=str(image_root))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the CPU decode as torchcodec does on a GPU; returns how many files each call had."""
    calls: list[int] = []

    def decode(jpegs: list[Tensor]) -> list[Tensor]:
        calls.append(len(jpegs))
        try:
            return [decode_rgb(jpeg.numpy().tobytes()) for jpeg in jpegs]
        except ValueError as error:
            raise RuntimeError("nvjpegDecode failed: 2") from error

    monkeypatch.setattr(gpu_decode, "find_gpu_decoder", lambda _: decode)
    return calls


def load_epoch(data: Data, gpu: torch.device | None, workers: int = 0) -> Tensor:
    files, _ = load_folders(data)
    steps = TrainSteps(len(files), 4, 0, Share())
    batches: FolderBatches = TrainFolderBatches(
        files, train_transform(data), steps, 7, workers, False, gpu
    )
    epoch = list(batches)
    for images, labels in epoch:
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert labels.shape == (4,)
    return torch.cat([images for images, _ in epoch])


def replace_picture(data: Data, file_format: str, mode: str) -> None:
    picture = Image.new("RGB", (40, 30), (200, 30, 100)).convert(mode)
    picture.save(Path(str(data.root)) / "train" / "n01" / "0.JPEG", file_format)


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_those_of_the_cpu(data: Data, workers: int, calls: list[int]) -> None:
    assert torch.equal(load_epoch(data, CPU, workers), load_epoch(data, None))
    assert calls == [4, 4]


@pytest.mark.parametrize(
    ("file_format", "mode", "on_gpu"), [("PNG", "RGB", 7), ("JPEG", "CMYK", 7), ("JPEG", "L", 8)]
)
def test_other_forms_are_left_to_the_cpu(
    file_format: str, mode: str, on_gpu: int, data: Data, calls: list[int]
) -> None:
    replace_picture(data, file_format, mode)
    assert torch.equal(load_epoch(data, CPU), load_epoch(data, None))
    assert sum(calls) == on_gpu


def test_a_file_that_no_decoder_takes_is_named(data: Data, calls: list[int]) -> None:
    file = Path(str(data.root)) / "train" / "n02" / "1.JPEG"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"^{file} is not a readable image"):
        load_epoch(data, CPU)
    # Once together, and then one by one.
    assert calls[-5:] == [4, 1, 1, 1, 1]


def test_a_file_that_is_gone_is_named(data: Data, calls: list[int]) -> None:
    files, _ = load_folders(data)
    gone = Path(files.files[3].decode())
    batches = FolderBatches(files, train_transform(data), [[(0, 3)]], 0, 0, False, CPU)  # type: ignore[arg-type]
    gone.unlink()
    with pytest.raises(DataError, match=f"^{gone} is not a readable image"):
        list(batches)


def test_without_a_gpu_the_mend_is_said() -> None:
    with pytest.raises(ConfigError, match=r"no GPU to decode on; give data\.decode=cpu"):
        find_gpu_decoder(CPU)
