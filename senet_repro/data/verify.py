"""Looking at every image of a set in folders before it is trained on (data floor).

A million images take minutes to decode, so the findings are kept beside the runs, under a fingerprint of the files'
names and of their folders' times: a file that is added, or put in another's place, is looked at. A corrupt file is
looked at each time, so that a file mended in place counts again. One process looks, the others wait for its findings;
a process that is stopped or killed is followed by the next where it was.
"""

from __future__ import annotations

import hashlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch.utils.data import Dataset

from senet_repro.core.errors import DataError
from senet_repro.core.files import read_object, write_json
from senet_repro.core.lock import hold_lock
from senet_repro.core.wording import name_some
from senet_repro.data.decode import decode_file
from senet_repro.data.workers import build_loader, end_workers, iterate_batches

# Images that a worker looks at before it answers: few enough that a stop is heard soon.
_CHUNK = 64
# Seconds between two lines of progress, and two writes of the findings.
_QUIET_S = 10
# Corrupt files that an error names; the others are counted.
_NAMED = 5


class FileList(Protocol):
    """Image files."""

    @property
    def files(self) -> np.ndarray:
        """Their paths (N,), a numpy array of bytes."""
        ...

    @property
    def sizes(self) -> np.ndarray | None:
        """Height and width (N, 2) that the images must have, int64; None: any."""
        ...


def find_corrupt_files(
    sets: Sequence[FileList],
    num_workers: int,
    cache: Path,
    pause: Callable[[], None],
) -> list[str]:
    """Return the files that are no readable images, or of another size than they must have, in order.

    `num_workers` processes look (0: this one).

    `pause` is called every few images, and may raise to end the search.
    """
    files = np.concatenate([part.files for part in sets])
    sizes = _join_sizes(sets)
    folder = cache / _fingerprint_files(files, sizes)
    report = partial(print, file=sys.stderr)
    with hold_lock(folder, report):
        findings = folder / "found.json"
        start, suspects = _read_findings(findings, len(files))
        corrupt = [index for index in suspects if not _is_sound(files[index], sizes[index])]
        reported_s = time.monotonic()
        for looked_at, found in _look_at_files(files, sizes, start, num_workers):
            corrupt += found
            quiet_s = time.monotonic() - reported_s
            is_last = looked_at == len(files)
            if is_last or quiet_s >= _QUIET_S:
                reported_s = time.monotonic()
                write_json(findings, {"looked_at": looked_at, "corrupt": corrupt})
                report(f"verified {looked_at:,} of {len(files):,} images, {len(corrupt)} corrupt")
            # After the write, so that a stop loses nothing that was found.
            pause()
    return [os.fsdecode(files[index]) for index in corrupt]


def corruption_error(corrupt: Sequence[str], has_sizes: bool = False) -> DataError:
    """Return the error that names corrupt files, with the mend; `has_sizes` where they must have certain sizes."""
    of_sizes = " of the sizes that their annotations state" if has_sizes else ""
    return DataError(
        f"{name_some(corrupt, _NAMED)}: not readable as images{of_sizes}; fetch them again, "
        "or give data.skip_corrupt=true to leave them out"
    )


def _read_findings(path: Path, num_files: int) -> tuple[int, list[int]]:
    """Return how many files were looked at, and which of them were corrupt; nothing if the file is no findings."""
    try:
        found = read_object(path)
        looked_at, corrupt = found["looked_at"], found["corrupt"]
        numbers = [looked_at - 1, *corrupt]
    except (TypeError, KeyError):
        return 0, []
    if all(_is_index(number, num_files) for number in numbers):
        return looked_at, corrupt
    return 0, []


def _is_index(number: Any, count: int) -> bool:
    # `type`, since True and False are ints too.
    return type(number) is int and 0 <= number < count


class _Chunks(Dataset[tuple[int, list[int]]]):
    """Chunks of the files from the `start`-th on: the index at which each ends, and which of its files are corrupt."""

    def __init__(self, files: np.ndarray, sizes: np.ndarray, start: int) -> None:
        self.files = files
        self.sizes = sizes
        self.start = start

    def __len__(self) -> int:
        pending = len(self.files) - self.start
        return math.ceil(pending / _CHUNK)

    def __getitem__(self, chunk: int) -> tuple[int, list[int]]:
        first = self.start + chunk * _CHUNK
        end = min(first + _CHUNK, len(self.files))
        corrupt = []
        for index in range(first, end):
            if not _is_sound(self.files[index], self.sizes[index]):
                corrupt.append(index)
        return end, corrupt


def _is_sound(file: bytes, size: np.ndarray) -> bool:
    """Return whether a file is a readable image of a size: height and width, or zeros for any."""
    # The decoder's own judgement: torchvision refuses a JPEG or PNG of which pixels are missing. Two kinds of damage
    # pass here as they pass in training: changed bytes in the middle of a JPEG, and a PNG without its last chunk,
    # which holds nothing.
    try:
        image = decode_file(os.fsdecode(file))
    except DataError:
        return False
    return not size.any() or tuple(image.shape[1:]) == tuple(size)


def _look_at_files(
    files: np.ndarray,
    sizes: np.ndarray,
    start: int,
    num_workers: int,
) -> Iterator[tuple[int, list[int]]]:
    """Yield, chunk by chunk, how many files were looked at and which of the chunk's are corrupt."""
    chunks = build_loader(_Chunks(files, sizes, start), num_workers, batch_size=None)
    try:
        yield from iterate_batches(chunks)
    finally:
        end_workers(chunks)


def _join_sizes(sets: Sequence[FileList]) -> np.ndarray:
    """Return the size (N, 2) that each file of some sets must have; zeros for any."""
    joined = []
    for part in sets:
        any_size = np.zeros((len(part.files), 2), dtype=np.int64)
        joined.append(any_size if part.sizes is None else part.sizes)
    return np.concatenate(joined)


def _fingerprint_files(files: np.ndarray, sizes: np.ndarray) -> str:
    """Return 16 hexadecimal digits that change with a file's name or size due, and with the time of its folder."""
    # One after the other: as objects, millions of names would take gigabytes.
    folders = {os.path.split(file)[0] for file in files}
    # Real paths: the same folder under another name, or through a link, has the same findings.
    real_folders = {folder: os.path.realpath(folder) for folder in folders}
    digest = hashlib.sha256()
    for folder in sorted(real_folders):
        status = Path(os.fsdecode(folder)).stat()
        entry = b"%s\0%d\0" % (real_folders[folder], status.st_mtime_ns)
        digest.update(entry)
    for file in files:
        folder, name = os.path.split(file)
        entry = b"%s/%s\0" % (real_folders[folder], name)
        digest.update(entry)
    # Without sizes the findings keep their name.
    if sizes.any():
        digest.update(sizes.tobytes())
    return digest.hexdigest()[:16]
