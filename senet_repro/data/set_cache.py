"""Decoded sets, kept beside the runs so that each is decoded once and not once in every process (data floor).

    <results folder>/.cache/sets/<name>-<first 16 digits of the fingerprint>/
        pixels.npy   (N, side, side, 3) uint8: the training images, then the test images
        facts.json   what they were made of, the labels of both, and the hash of it all
        lock         held by the process that decodes them

A folder counts as long as it was made of the same files by the same code and libraries, and holds what its hash says;
any other one is made anew. It may be deleted at any time. Where it cannot be written, a line says so and each process
decodes for itself. Processes side by side map the pixels and so share their memory, which is why a file is replaced and
never written into.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from senet_repro.core.files import read_object, write_file, write_json
from senet_repro.core.lock import hold_lock
from senet_repro.data.images import ImageSet, Split

# Of the code that makes pixels of files: whoever changes it finds no pixels of the code before.
_CODE = ("cifar.py", "decode.py", "picture_files.py")
_DECODERS = ("torchvision", "torchcodec")


def find_cache_folder(results_dir: str) -> Path:
    """Return the folder that keeps the decoded sets of a results folder."""
    return Path(results_dir) / ".cache" / "sets"


@dataclass(frozen=True)
class KeptSet:
    """A set whose decoded pixels are kept in a folder; `fingerprint` is that of its files."""

    parent: Path
    name: str
    fingerprint: str

    @property
    def folder(self) -> Path:
        """The folder of this set alone."""
        return self.parent / f"{self.name}-{self.fingerprint[:16]}"

    def read_or_make(self, decode: Callable[[], Split], is_unchanged: Callable[[], bool]) -> Split:
        """Return the kept set; where there is none, what `decode` returns, which is then kept.

        A set of which images were left out is not kept: their names belong to the files that are there now. Neither is
        one whose files are not as they were, by `is_unchanged`, after they were decoded.
        """
        made_of = self._describe_origin()
        kept = self._read_split(made_of)
        if kept is not None:
            return kept
        with ExitStack() as held:
            # One process decodes, and the others wait for it: they would only take its cores.
            try:
                held.enter_context(hold_lock(self.folder))
            except OSError as error:
                _report_obstacle(error)
                return decode()
            kept = self._read_split(made_of)
            if kept is not None:
                return kept
            split = decode()
            is_whole = not (split.train.skipped or split.test.skipped)
            if not (is_whole and is_unchanged()):
                return split
            try:
                self._write_split(split, made_of)
            except OSError as error:
                _report_obstacle(error)
            # What was decoded is private memory; what is kept is shared.
            return self._read_split(made_of) or split

    @property
    def _pixels_file(self) -> Path:
        return self.folder / "pixels.npy"

    @property
    def _facts_file(self) -> Path:
        return self.folder / "facts.json"

    def _describe_origin(self) -> dict[str, Any]:
        """Return everything that decides the pixels and labels, JSON-ready."""
        code = hashlib.sha256()
        for name in _CODE:
            code.update(Path(__file__).with_name(name).read_bytes())
        return {
            "fingerprint": self.fingerprint,
            "code_sha256": code.hexdigest(),
            "decoders": {library: _find_version(library) for library in _DECODERS},
        }

    def _read_split(self, made_of: dict[str, Any]) -> Split | None:
        """Return the set as it was written; None where it is missing, damaged, or made of something else."""
        facts = read_object(self._facts_file)
        if facts.get("made_of") != made_of or not self._pixels_file.is_file():
            return None
        try:
            # Copy on write: torch wants memory that it could write to, and the file stays as it is.
            pixels = np.load(self._pixels_file, mmap_mode="c", allow_pickle=False)
            labels = np.array(facts["labels"], dtype=np.int64)
            train_images = int(facts["train_images"])
            is_whole = facts["sha256"] == _hash_set(pixels, labels, train_images)
        # A damaged file fails in any way it happens to.
        except Exception:
            return None
        if not is_whole:
            return None
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        whole = ImageSet(images, torch.from_numpy(labels))
        return Split(
            train=ImageSet(whole.images[:train_images], whole.labels[:train_images]),
            test=ImageSet(whole.images[train_images:], whole.labels[train_images:]),
        )

    def _write_split(self, split: Split, made_of: dict[str, Any]) -> None:
        """Write the set; its facts come last, so that they are never those of other pixels for long."""
        parts = [part.images.permute(0, 2, 3, 1) for part in (split.train, split.test)]
        pixels = torch.cat(parts).contiguous().numpy()
        labels = torch.cat([split.train.labels, split.test.labels]).numpy()
        write_file(self._pixels_file, partial(np.save, arr=pixels, allow_pickle=False))
        facts = {
            "made_of": made_of,
            "train_images": len(split.train),
            "sha256": _hash_set(pixels, labels, len(split.train)),
            "labels": labels.tolist(),
        }
        write_json(self._facts_file, facts)


def _hash_set(pixels: np.ndarray, labels: np.ndarray, train_images: int) -> str:
    digest = hashlib.sha256(f"{pixels.shape} {pixels.dtype} {train_images} ".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    digest.update(labels.tobytes())
    return digest.hexdigest()


def _find_version(library: str) -> str | None:
    """Return the version of a library, or None where it is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _report_obstacle(error: OSError) -> None:
    print(f"decoded pictures are not kept for other processes: {error}", file=sys.stderr)
