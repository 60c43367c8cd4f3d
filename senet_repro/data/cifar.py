"""CIFAR-10 and CIFAR-100, from Hugging Face parquet files or from torchvision's own folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor
from torchvision.datasets import CIFAR10, CIFAR100

from senet_repro.core.errors import DataError
from senet_repro.data.decode import decode_rgb
from senet_repro.data.images import ImageSet, Split

SIDE_PX = 32
LABEL_COLUMN = {"cifar10": "label", "cifar100": "fine_label"}
TORCHVISION = {"cifar10": CIFAR10, "cifar100": CIFAR100}


def load_cifar(name: str, root: str | None, download: bool, skip_corrupt: bool = False) -> Split:
    """The 50,000 training and 10,000 test images of `name`, from whichever form `root` holds.

    Parquet files `{train,test}-*.parquet` come first, then torchvision's folder. Nothing is fetched unless
    `download`, and then by torchvision. `skip_corrupt` leaves out rows of parquet files that are no readable images.

    Raises:
        DataError: `root` is unset or holds neither form, or a file in it cannot be read.
    """
    folder = TORCHVISION[name].base_folder
    if root is None:
        raise DataError(
            f"{name} is read from a folder of parquet files or of {folder}: give data.root=DIR, "
            "and data.download=true to have it fetched there"
        )
    shards = {part: sorted(Path(root).glob(f"{part}-*.parquet")) for part in ("train", "test")}
    if all(shards.values()):
        return Split(
            *(_read_parquet(files, LABEL_COLUMN[name], skip_corrupt) for files in shards.values())
        )
    if download or (Path(root) / folder).is_dir():
        return _read_torchvision(name, root, download)
    missing = " and ".join(f"{part}-*.parquet" for part, files in shards.items() if not files)
    raise DataError(
        f"no {name} in {root}: looked for {missing} and for {folder}/; "
        "give data.root=DIR with one of them, or data.download=true"
    )


def _read_torchvision(name: str, root: str, download: bool) -> Split:
    try:
        parts = [TORCHVISION[name](root, train=train, download=download) for train in (True, False)]
    except (RuntimeError, OSError) as error:
        folder = Path(root) / TORCHVISION[name].base_folder
        raise DataError(
            f"{folder} is incomplete, damaged or out of reach ({error}): delete it and give data.download=true where "
            "there is a network, or give another data.root"
        ) from error
    return Split(*(_from_torchvision(part) for part in parts))


def _from_torchvision(part: Any) -> ImageSet:
    images = torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous()
    return ImageSet(images, torch.tensor(part.targets))


def _read_parquet(files: list[Path], label_column: str, skip_corrupt: bool) -> ImageSet:
    shards = [_read_shard(file, label_column, skip_corrupt) for file in files]
    images, labels = (
        torch.cat(tensors) for tensors in zip(*((s.images, s.labels) for s in shards), strict=True)
    )
    return ImageSet(images, labels, tuple(name for shard in shards for name in shard.skipped))


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
    images: dict[int, Tensor] = {}
    skipped = []
    for row, image in enumerate(encoded):
        try:
            images[row] = _decode(image.as_py(), file, row)
        except DataError as error:
            if not skip_corrupt or error.__cause__ is None:  # it is an image, but of another size
                raise
            skipped.append(f"{file}, row {row}")
    if not images:
        raise DataError(f"{file} holds no images")
    return ImageSet(torch.stack(list(images.values())), labels[list(images)], tuple(skipped))


def _decode(encoded: bytes | None, file: Path, row: int) -> Tensor:
    """One image (3, 32, 32) uint8."""
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
