"""Where the files of CIFAR-10 and CIFAR-100 lie below `data.root` (config floor; no torch)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from senet_repro.core.errors import DataError
from senet_repro.core.wording import join_words

TORCHVISION_FILES = {
    "cifar-10-batches-py": (
        *(f"data_batch_{i}" for i in range(1, 6)),
        "test_batch",
        "batches.meta",
    ),
    "cifar-100-python": ("train", "test", "meta"),
}
"""The folder that torchvision makes of each set, and the files in it."""
TORCHVISION_FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}

PARQUET_SUFFIX = ".parquet"
PARQUET_PATTERNS = (f"train-*{PARQUET_SUFFIX}", f"test-*{PARQUET_SUFFIX}")
JPEG_MAGIC = b"\xff\xd8\xff"
"""The bytes that every JPEG file begins with."""


@dataclass(frozen=True)
class CifarFiles:
    """The files of a set in one of the two layouts, in the order in which they are read."""

    train: list[Path]  # parquet files; empty in torchvision's layout
    test: list[Path]
    torchvision_root: Path | None = None  # the folder that holds torchvision's own
    torchvision_files: tuple[Path, ...] = ()

    @property
    def all_files(self) -> list[Path]:
        """Return every file that decides a pixel or a label."""
        return [*self.train, *self.test, *self.torchvision_files]


def find_cifar_files(name: str, root: str | None) -> CifarFiles:
    """Return the files of the set `name`, from whichever layout lies at or below `root`.

    Parquet files `{train,test}-*.parquet` come first, then torchvision's folder. Both are looked for in the folder
    itself and where downloads put them: in plain_text/, in a folder of the set's name, and in plain_text/ of that.

    Raises:
        DataError: `root` is unset or holds neither layout, or torchvision's folder is not whole.
    """
    folder = TORCHVISION_FOLDERS[name]
    if root is None:
        raise DataError(
            f"{name} is read from a folder of parquet files or of {folder}: give data.root=DIR, "
            "and data.download=true to have it fetched there"
        )
    top = Path(root)
    places = [top, *(top / subfolder for subfolder in _list_subfolders(name))]
    missing = set(PARQUET_PATTERNS)
    for place in places:
        train, test = (sorted(place.glob(pattern)) for pattern in PARQUET_PATTERNS)
        if train and test:
            return CifarFiles(train, test)
        found = zip(PARQUET_PATTERNS, (train, test), strict=True)
        missing -= {pattern for pattern, files in found if files}
    # Torchvision's own folder may have been given, and not the one that holds it.
    if top.resolve().name == folder:
        places.append(top.resolve().parent)
    for place in places:
        if (place / folder).is_dir():
            return _list_torchvision_files(place, folder)
    patterns = [pattern for pattern in PARQUET_PATTERNS if pattern in missing] or PARQUET_PATTERNS
    subfolders = join_words((f"{part}/" for part in _list_subfolders(name)), "and")
    raise DataError(
        f"no {name} in {root}: looked for {' and '.join(patterns)} and for {folder}/, there and in {subfolders}; "
        "give data.root=DIR with one of them, or data.download=true"
    )


def find_encoding(file: Path) -> str | None:
    """Return how the pictures of a parquet file were encoded with a loss, JPEG; None for any other file.

    The sets were published as pixels, which PNG files keep.
    """
    if file.suffix != PARQUET_SUFFIX:
        return None
    # Late: it takes a third of a second to import, and no other layout needs it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            first_rows = next(opened.iter_batches(batch_size=1, columns=["img.bytes"]))
        picture = first_rows["img"][0].as_py()["bytes"]
    except (pa.ArrowException, OSError, StopIteration, LookupError, TypeError):
        # No whole file of the set: reading it says what is wrong.
        return None
    return "JPEG" if (picture or b"").startswith(JPEG_MAGIC) else None


def _list_subfolders(name: str) -> tuple[str, ...]:
    return ("plain_text", name, f"{name}/plain_text")


def _list_torchvision_files(place: Path, folder: str) -> CifarFiles:
    files = tuple(place / folder / name for name in TORCHVISION_FILES[folder])
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise DataError(
            f"{place / folder} is incomplete, damaged or out of reach (no {', '.join(missing)}): delete it and give "
            "data.download=true where there is a network, or give another data.root"
        )
    return CifarFiles([], [], place, files)
