"""Looking at every image of a set in folders before it is trained on (data floor).

A million images take minutes to decode, so what was found is kept beside the runs, under a fingerprint of the files'
names and of their folders' times: a file that is added, or put in another's place, is looked at. What was corrupt is
looked at each time, so that a file mended in place counts again. One process looks, the others wait for what it finds;
one that is stopped or killed is followed by the next where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from senet_repro.core.errors import DataError
from senet_repro.core.files import write_json
from senet_repro.core.lock import hold_lock
from senet_repro.data.decode import decode_file
from senet_repro.data.folder import FileSet, as_it_is, close_workers, outlive_signals

_CHUNK = 64
_QUIET_S = 10
_NAMED = 5


def corrupt_files(
    sets: Sequence[FileSet], num_workers: int, cache: Path, pause: Callable[[], None]
) -> list[str]:
    """The files that are no readable images, in order; found by `num_workers` processes (0: this one).

    `pause` is called every few images, and may raise to end the search.
    """
    files = np.concatenate([part.files for part in sets])
    place = cache / _fingerprint(files)
    with hold_lock(place, partial(print, file=sys.stderr)):
        kept = place / "found.json"
        start, suspects = _read(kept, len(files))
        corrupt = [index for index in suspects if not _is_readable(files[index])]
        said_s = time.monotonic()
        for looked_at, found in _looked_at(files, start, num_workers):
            corrupt += found
            if looked_at == len(files) or time.monotonic() - said_s >= _QUIET_S:
                said_s = time.monotonic()
                write_json(kept, {"looked_at": looked_at, "corrupt": corrupt})
                print(
                    f"verified {looked_at:,} of {len(files):,} images, {len(corrupt)} corrupt",
                    file=sys.stderr,
                )
            pause()
    return [os.fsdecode(files[index]) for index in corrupt]


def corruption(corrupt: Sequence[str]) -> DataError:
    """What to say of them, with the mend."""
    named = ", ".join(corrupt[:_NAMED])
    more = f" and {len(corrupt) - _NAMED} more" if len(corrupt) > _NAMED else ""
    return DataError(
        f"{named}{more}: not readable as images; fetch them again, or give data.skip_corrupt=true to leave them out"
    )


def _read(kept: Path, num_files: int) -> tuple[int, list[int]]:
    """How many files were looked at, and which of them were corrupt."""
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        looked_at, corrupt = found["looked_at"], found["corrupt"]
        if all(
            type(number) is int and 0 <= number < num_files for number in (looked_at - 1, *corrupt)
        ):
            return looked_at, corrupt
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return 0, []


class _Chunks(Dataset[tuple[int, list[int]]]):
    """Chunks of the files from the `start`-th on: where each ends, and which of its files are corrupt."""

    def __init__(self, files: np.ndarray, start: int) -> None:
        self.files = files
        self.start = start

    def __len__(self) -> int:
        return -(-(len(self.files) - self.start) // _CHUNK)

    def __getitem__(self, chunk: int) -> tuple[int, list[int]]:
        first = self.start + chunk * _CHUNK
        end = min(first + _CHUNK, len(self.files))
        return end, [index for index in range(first, end) if not _is_readable(self.files[index])]


def _is_readable(file: bytes) -> bool:
    # The decoder's own judgement: torchvision refuses a JPEG or PNG of which pixels are missing. What it lets pass,
    # training would too: changed bytes in the middle of a JPEG, and a PNG without its last chunk, which holds nothing.
    try:
        decode_file(os.fsdecode(file))
    except DataError:
        return False
    return True


def _looked_at(files: np.ndarray, start: int, num_workers: int) -> Iterator[tuple[int, list[int]]]:
    chunks = DataLoader(
        _Chunks(files, start),
        batch_size=None,
        collate_fn=as_it_is,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        worker_init_fn=outlive_signals,
        generator=torch.Generator(),
    )
    try:
        yield from chunks
    finally:
        close_workers(chunks)


def _fingerprint(files: np.ndarray) -> str:
    parts = [os.path.split(file) for file in files.tolist()]
    folders = {folder: os.path.realpath(folder) for folder, _ in parts}
    digest = hashlib.sha256()
    for folder in sorted(folders):
        digest.update(b"%s\0%d\0" % (folders[folder], Path(os.fsdecode(folder)).stat().st_mtime_ns))
    for folder, name in parts:
        digest.update(b"%s/%s\0" % (folders[folder], name))
    return digest.hexdigest()[:16]
