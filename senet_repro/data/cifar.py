"""CIFAR-10 and CIFAR-100, from Hugging Face parquet files or from torchvision's own folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor
from torchvision.datasets import CIFAR10, CIFAR100

from senet_repro.config.cifar_files import find_cifar_files
from senet_repro.core.errors import DataError
from senet_repro.data.decode import decode_rgb
from senet_repro.data.images import ImageSet, Split

SIDE_PX = 32
LABEL_COLUMN = {"cifar10": "label", "cifar100": "fine_label"}
TORCHVISION = {"cifar10": CIFAR10, "cifar100": CIFAR100}


def load_cifar(
    name: str,
    root: str | None,
    download: bool,
    skip_corrupt: bool = False,
) -> Split:
    """Return the 50,000 training and 10,000 test images of `name`, from whichever layout `root` holds.

    Nothing is fetched unless `download`, and then by torchvision. `skip_corrupt` leaves out rows of parquet files that
    are no readable images.

    Raises:
        DataError: `root` is unset or holds neither layout, or a file in it cannot be read.
    """
    try:
        files = find_cifar_files(name, root)
    except DataError:
        if root is None or not download:
            raise
        return _read_torchvision(name, Path(root), download=True)
    if files.torchvision_root is not None:
        # What lies there is what the run is known by, so it is never fetched anew.
        return _read_torchvision(name, files.torchvision_root, download=False)
    label_column = LABEL_COLUMN[name]
    return Split(
        train=_read_parquet(files.train, label_column, skip_corrupt),
        test=_read_parquet(files.test, label_column, skip_corrupt),
    )


def _read_torchvision(name: str, root: Path, download: bool) -> Split:
    open_part = TORCHVISION[name]
    try:
        train = open_part(root, train=True, download=download)
        test = open_part(root, train=False, download=download)
    except (RuntimeError, OSError) as error:
        folder = root / open_part.base_folder
        raise DataError(
            f"{folder} is incomplete, damaged or out of reach ({error}): delete it and give data.download=true where "
            "there is a network, or give another data.root"
        ) from error
    return Split(_convert_torchvision(train), _convert_torchvision(test))


def _convert_torchvision(part: Any) -> ImageSet:
    pixels = torch.from_numpy(part.data)
    images = pixels.permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor(part.targets)
    return ImageSet(images, labels)


def _read_parquet(files: Sequence[Path], label_column: str, skip_corrupt: bool) -> ImageSet:
    """Return the images of all files, in the order of the files."""
    shards = [_read_shard(file, label_column, skip_corrupt) for file in files]
    images = torch.cat([shard.images for shard in shards])
    labels = torch.cat([shard.labels for shard in shards])
    skipped: list[str] = []
    for shard in shards:
        skipped += shard.skipped
    return ImageSet(images, labels, tuple(skipped))


def _read_shard(file: Path, label_column: str, skip_corrupt: bool) -> ImageSet:
    try:
        table = pq.read_table(file)
        encoded = table["img"].combine_chunks().field("bytes")
        labels = torch.tensor(table[label_column].to_pylist(), dtype=torch.int64)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is not a whole parquet file: fetch it again ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{file} must have columns img (bytes, path) and {label_column} (integer)"
        ) from error
    images: list[Tensor] = []
    kept_rows: list[int] = []
    skipped: list[str] = []
    for row, image in enumerate(encoded):
        try:
            images.append(_decode_row(image.as_py(), file, row))
        except DataError as error:
            # Without a cause it is an image, but of another size: the file is of another set.
            is_unreadable = error.__cause__ is not None
            if not (skip_corrupt and is_unreadable):
                raise
            skipped.append(f"{file}, row {row}")
        else:
            kept_rows.append(row)
    if not images:
        raise DataError(f"{file} holds no images")
    return ImageSet(torch.stack(images), labels[kept_rows], tuple(skipped))


def _decode_row(encoded: bytes | None, file: Path, row: int) -> Tensor:
    """Return one image (3, 32, 32) uint8.

    Raises:
        DataError: The bytes are no readable image, or one of another size.
    """
    try:
        image = decode_rgb(encoded or b"")
    except ValueError as error:
        raise DataError(
            f"{file}, row {row}: not a readable image; fetch the file again ({error})"
        ) from error
    if image.shape != (3, SIDE_PX, SIDE_PX):
        height, width = image.shape[1:]
        raise DataError(
            f"{file}, row {row}: {width} x {height} px where {SIDE_PX} x {SIDE_PX} were expected"
        )
    return image
