"""Looking at every image of a set in folders before it is trained on (data floor).

A million images take minutes to decode, so what was found is kept beside the runs, under a fingerprint of the files'
names and of their folders' times: a file that is added, or put in another's place, is looked at. What was corrupt is
looked at each time, so that a file mended in place counts again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

from senet_repro.config.files import write_json
from senet_repro.config.schema import DataError
from senet_repro.data.decode import decode_file
from senet_repro.data.folder import FileSet, outlive_signals

_CHUNK = 64
_QUIET_S = 10
_NAMED = 5


def corrupt_files(sets: Sequence[FileSet], num_workers: int, cache: Path) -> list[str]:
    """The files that are no readable images, in order; found by `num_workers` processes (0: this one)."""
    files = [os.fsdecode(file) for part in sets for file in part.files]
    found = cache / f"{_fingerprint(files)}.json"
    try:
        suspects = json.loads(found.read_text(encoding="utf-8"))
        known = set(files)
        if not isinstance(suspects, list) or not all(name in known for name in suspects):
            raise ValueError("not what was found here")
    except (OSError, ValueError, TypeError):
        corrupt = _decode_all(files, num_workers)
    else:
        corrupt = _decode_all(suspects, 0)
        if corrupt == suspects:
            return corrupt
    cache.mkdir(parents=True, exist_ok=True)
    write_json(found, corrupt)
    return corrupt


def corruption(corrupt: Sequence[str]) -> DataError:
    """What to say of them, with the mend."""
    named = ", ".join(corrupt[:_NAMED])
    more = f" and {len(corrupt) - _NAMED} more" if len(corrupt) > _NAMED else ""
    return DataError(
        f"{named}{more}: not readable as images; fetch them again, or give data.skip_corrupt=true to leave them out"
    )


class _Chunks(Dataset[list[str]]):
    """The corrupt ones among a chunk of files."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files = files

    def __len__(self) -> int:
        return -(-len(self.files) // _CHUNK)

    def __getitem__(self, chunk: int) -> list[str]:
        return [file for file in self.files[chunk * _CHUNK : (chunk + 1) * _CHUNK] if not _is_readable(file)]


def _is_readable(file: str) -> bool:
    try:
        decode_file(file)
    except DataError:
        return False
    return True


def _decode_all(files: Sequence[str], num_workers: int) -> list[str]:
    chunks = DataLoader(
        _Chunks(files),
        batch_size=None,
        num_workers=num_workers,
        worker_init_fn=outlive_signals,
        generator=torch.Generator(),
    )
    corrupt: list[str] = []
    said_s = time.monotonic()
    for number, found in enumerate(chunks, 1):
        corrupt += found
        if time.monotonic() - said_s >= _QUIET_S:
            said_s = time.monotonic()
            print(
                f"verified {min(number * _CHUNK, len(files)):,} of {len(files):,} images, {len(corrupt)} corrupt",
                file=sys.stderr,
            )
    return corrupt


def _fingerprint(files: Sequence[str]) -> str:
    folders = sorted({file.rpartition(os.sep)[0] for file in files})
    times = [f"{folder}\0{Path(folder).stat().st_mtime_ns}" for folder in folders]
    return hashlib.sha256("\n".join([*files, *times]).encode(errors="surrogateescape")).hexdigest()[:16]
