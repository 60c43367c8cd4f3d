"""Findings in the folders of pictures of a set, kept beside the results (config floor; no torch).

To read every picture of a set takes long, and so does asking a disk for the state of a million files. What was found is
kept with two states, and counts as long as they are what they were:

- A folder's own time of change: the same names lie in it. Of a large set that is enough until a training begins.
- The sizes and times of change of all its files, as one hash, the stamp: none of them was written to. Nobody can set a
  file's time of change.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from senet_repro.core.files import read_object, write_json

# Sets of fewer pictures are asked for the state of each file every time, which takes a fifth of a second.
LARGE_SET_IMAGES = 50_000
# Sets of fewer bytes are read in a moment, and not kept.
LARGE_SET_BYTES = 50_000_000
# The times of disks are coarse: what changed just now may change again within the same tick.
SETTLED_NS = 2_000_000_000

FolderState = list[int]


@dataclass(frozen=True)
class FolderDigest:
    """Keep what is known of the pictures in one folder."""

    images: int
    size: int  # bytes of all of them
    listing: str  # hash of their names and sizes
    stamp: str  # hash of their names, sizes and times of change
    content: str | None = None  # hash of their names and bytes; None: not read


@dataclass
class FolderCache:
    """The digests of the folders of one set, each with the state in which its folder was."""

    file: Path
    known: dict[str, Any] = field(default_factory=dict)  # as read from the file
    now: dict[str, Any] = field(default_factory=dict)  # as found by this process
    trusts_folders: bool = False  # whether a folder whose own state is as it was is not looked into

    @classmethod
    def open(cls, folder: Path, root: str) -> FolderCache:
        """Return the cache that `folder` holds for the set at `root`, empty if there is none that can be read."""
        real_root = os.path.realpath(root)
        name = hashlib.sha256(os.fsencode(real_root)).hexdigest()[:16]
        cache = cls(folder / f"{name}.json")
        cache.known = read_object(cache.file)
        cache.trusts_folders = _add_up(cache.known, "images") >= LARGE_SET_IMAGES
        return cache

    def find_digest(self, key: str, state: FolderState) -> FolderDigest | None:
        """Return the digest of a folder of a large set that was kept in this very state; None for any other."""
        entry = self.known.get(key)
        with suppress(TypeError, ValueError, KeyError):
            if entry and self.trusts_folders and entry["state"] == state:
                return _read_digest(entry)
        return None

    def find_content(self, key: str, stamp: str) -> str | None:
        """Return the hash of a folder's bytes that was kept when its files were in this very state; None otherwise."""
        entry = self.known.get(key)
        with suppress(TypeError, ValueError, KeyError):
            if entry and entry["stamp"] == stamp:
                return _read_digest(entry).content
        return None

    def keep_digest(self, key: str, state: FolderState, digest: FolderDigest) -> None:
        """Keep the digest of a folder that was in this state before it was looked at."""
        self.now[key] = {"state": state, **asdict(digest)}

    def write_digests(self) -> None:
        """Write the digests of a large set, if they are not as they were."""
        is_large = (
            _add_up(self.now, "images") >= LARGE_SET_IMAGES
            or _add_up(self.now, "size") >= LARGE_SET_BYTES
        )
        if not is_large or self.now == self.known:
            return
        # Without the cache the next command is slower, and nothing else is lost.
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.file, self.now)


def read_state(folder: Path) -> FolderState:
    """Return numbers that differ for another folder, and for this one once a name in it was added or taken away."""
    status = folder.stat()
    return [status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def is_settled(changed_ns: int) -> bool:
    """Return whether the last change lies so long ago that a further one would show in the time of change."""
    return time.time_ns() - changed_ns > SETTLED_NS


def _read_digest(entry: dict[str, Any]) -> FolderDigest:
    """Return the digest in an entry of the cache.

    Raises:
        KeyError, TypeError, ValueError: the entry is damaged, or an earlier version's.
    """
    content = entry["content"]
    return FolderDigest(
        images=int(entry["images"]),
        size=int(entry["size"]),
        listing=str(entry["listing"]),
        stamp=str(entry["stamp"]),
        content=None if content is None else str(content),
    )


def _add_up(entries: dict[str, Any], name: str) -> int:
    """Return the sum of a number over the entries of a cache; 0 where one is damaged."""
    try:
        return sum(int(entry[name]) for entry in entries.values())
    except (TypeError, ValueError, KeyError):
        return 0
