"""Findings in the class folders of a large set, kept beside the results (config floor; no torch).

ImageNet has 1.3 million pictures, and asking a local disk for the size of each takes about eight seconds, one that is
reached by network minutes. A folder whose time of change is as it was holds the same names, so only folders that
changed are looked at again. A picture that is overwritten in place, under its own name and with another size, changes
no folder: that is why small sets are always looked at whole, and large ones before each training.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from senet_repro.core.files import read_object, write_json

# Sets of fewer pictures take a fifth of a second, and are never kept.
LARGE_SET_IMAGES = 50_000
# The times of disks are coarse: a folder that changed just now may change again within the same tick.
SETTLED_NS = 2_000_000_000

FolderState = list[int]


@dataclass(frozen=True)
class FolderDigest:
    """The pictures of one class folder: their number, and the hash of their names and sizes."""

    images: int
    sha256: str


@dataclass
class FolderCache:
    """The digests of the class folders of one set, each with the state in which its folder was."""

    file: Path
    known: dict[str, Any] = field(default_factory=dict)  # as read from the file
    now: dict[str, Any] = field(default_factory=dict)  # as found by this process

    @classmethod
    def open(cls, folder: Path, root: str) -> FolderCache:
        """Return the cache that `folder` holds for the set at `root`, empty if there is none that can be read."""
        real_root = os.path.realpath(root)
        name = hashlib.sha256(os.fsencode(real_root)).hexdigest()[:16]
        cache = cls(folder / f"{name}.json")
        cache.known = read_object(cache.file)
        return cache

    def forget_all(self) -> None:
        """Take nothing from what was found before."""
        self.known = {}

    def find_digest(self, folder: Path, state: FolderState) -> FolderDigest | None:
        """Return the digest of a folder that was kept in this very state; None for any other."""
        entry = self.known.get(_name_folder(folder))
        with suppress(TypeError, ValueError, KeyError):
            if entry and entry["state"] == state:
                return FolderDigest(int(entry["images"]), str(entry["sha256"]))
        return None

    def keep_digest(self, folder: Path, state: FolderState, digest: FolderDigest) -> None:
        """Keep the digest of a folder that was in this state before it was looked at.

        It is not kept if the folder changed so lately that it may be changing still.
        """
        changed_ns = state[-1]
        if time.time_ns() - changed_ns > SETTLED_NS:
            entry = {"state": state, "images": digest.images, "sha256": digest.sha256}
            self.now[_name_folder(folder)] = entry

    def write_digests(self) -> None:
        """Write the digests of a large set, if they are not as they were."""
        images = sum(entry["images"] for entry in self.now.values())
        if images < LARGE_SET_IMAGES or self.now == self.known:
            return
        # Without the cache the next command is slower, and nothing else is lost.
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.file, self.now)


def read_state(folder: Path) -> FolderState:
    """Return numbers that differ for another folder, and for this one once a name in it was added or taken away."""
    status = folder.stat()
    return [status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def _name_folder(folder: Path) -> str:
    """Return the name of a class folder within its set, such as train/n01440764."""
    return f"{folder.parent.name}/{folder.name}"
