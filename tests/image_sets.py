"""Small sets on disk, and configurations of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from senet_repro.config.schema import Data
from senet_repro.data.images import ImageSet

CIFAR: dict[str, Any] = {
    "name": "cifar10",
    "kind": "memory",
    "title": "CIFAR-10",
    "train_images": 50_000,
    "eval_images": 10_000,
    "classes": 10,
    "train_px": 32,
    "eval_px": 32,
    "mean": [125.3, 123.0, 113.9],
    "std": [63.0, 62.1, 66.7],
    "flip": True,
    "pad_px": 4,
}
DIGITS = {
    **CIFAR,
    "name": "digits",
    "train_images": 1437,
    "eval_images": 360,
    "train_px": 8,
    "eval_px": 8,
    "flip": False,
    "pad_px": 1,
}
FOLDERS = {
    **CIFAR,
    "name": "imagenet",
    "kind": "folders",
    "classes": 1000,
    "train_px": 24,
    "eval_px": 24,
    "eval_resize_px": 28,
    "crop_area": [0.08, 1.0],
    "crop_aspect": [0.75, 4 / 3],
    "pad_px": 0,
}


@pytest.fixture
def make_data() -> Callable[..., Data]:
    """A Data by name, with any field replaced."""
    known = {"cifar10": CIFAR, "cifar100": {**CIFAR, "name": "cifar100", "classes": 100}}
    known |= {"digits": DIGITS, "imagenet": FOLDERS}
    return lambda known_name, **fields: Data(**{**known[known_name], **fields})


@pytest.fixture
def make_images() -> Callable[..., ImageSet]:
    """Random images whose labels are their indices, so that a batch tells which images it holds."""

    def make(count: int, side: int = 8) -> ImageSet:
        generator = torch.Generator().manual_seed(count)
        images = torch.randint(
            1, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator
        )
        return ImageSet(images, torch.arange(count))

    return make


@pytest.fixture
def png() -> Callable[..., bytes]:
    """A random image, encoded without loss."""

    def encode(seed: int, side: int = 32) -> bytes:
        file = BytesIO()
        _random_image(seed, side, side).save(file, "PNG")
        return file.getvalue()

    return encode


@pytest.fixture
def write_parquet() -> Callable[..., None]:
    """Write encoded images and labels as Hugging Face does."""

    def write(file: Path, images: list[bytes], labels: list[int], column: str = "label") -> None:
        rows = [{"bytes": image, "path": None} for image in images]
        pq.write_table(pa.table({"img": rows, column: labels}), file)

    return write


@pytest.fixture
def image_root(tmp_path: Path) -> Path:
    """Two classes with four training and three validation JPEGs each, all of different sizes."""
    for part, count in (("train", 4), ("val", 3)):
        for label, name in enumerate(("n01", "n02")):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                image = _random_image(10 * label + i, 30 + 4 * i, 44 - 3 * i)
                image.save(folder / f"{i}.JPEG")
    return tmp_path


def _random_image(seed: int, height: int, width: int) -> Image.Image:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (height, width, 3), dtype=torch.uint8, generator=generator)
    return Image.fromarray(pixels.numpy())
