"""The fingerprint of a set in folders: a hash of its pictures and of their classes (config floor; no torch).

A part of up to 20 GB is known by every byte of its pictures, a larger one, such as ImageNet's training part, by their
names and sizes: 140 GB would be read for minutes to an hour. Bytes are read once: what was found is kept, see
`folder_cache`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from senet_repro.config.class_folders import find_class_folders
from senet_repro.config.folder_cache import (
    FolderCache,
    FolderDigest,
    FolderState,
    is_settled,
    read_state,
)
from senet_repro.config.picture_folders import (
    EVAL,
    PARTS,
    TRAIN,
    PictureFolder,
    list_pictures,
    refuse_empty_classes,
)
from senet_repro.config.schema import Data, FoundSet
from senet_repro.core.files import read_bytes
from senet_repro.core.slow_work import SlowWork

MOST_BYTES_READ = 20_000_000_000
"""The largest part that is known by its bytes."""

# A disk that is reached by network answers many at a time.
_THREADS = 8


@dataclass(frozen=True)
class _Look:
    """A folder as it was looked at: what is known of it, and whether a further change of it would show."""

    folder: PictureFolder
    digest: FolderDigest
    is_settled: bool


@dataclass(frozen=True)
class PartDigest:
    """A part of a set as it is known: how many pictures it has, and what a fingerprint is made of."""

    images: int
    content: bytes  # names, numbers and hashes of its folders
    empty: list[Path]  # folders without a picture


def fingerprint_folders(data: Data, cache: FolderCache) -> FoundSet:
    """Return what lies in the folders of a set, known by its fingerprint.

    Raises:
        DataError: no whole set lies there.
    """
    classes = find_class_folders(data)
    whole = hashlib.sha256()
    digests = {part: digest_part(classes.list_folders(part), cache) for part in PARTS}
    refuse_empty_classes([folder for digest in digests.values() for folder in digest.empty])
    for digest in digests.values():
        whole.update(digest.content)
    cache.write_digests()
    return FoundSet(
        fingerprint=whole.hexdigest(),
        classes=len(classes.names),
        train_images=digests[TRAIN].images,
        eval_images=digests[EVAL].images,
    )


def fingerprint_part(data: Data, part: str, cache: FolderCache) -> str:
    """Return the fingerprint of one part of a set, train or val; the other one need not be there.

    Raises:
        DataError: as for `fingerprint_folders`.
    """
    classes = find_class_folders(data, [part])
    digest = digest_part(classes.list_folders(part), cache)
    refuse_empty_classes(digest.empty)
    cache.write_digests()
    return hashlib.sha256(digest.content).hexdigest()


def digest_part(folders: Sequence[PictureFolder], cache: FolderCache) -> PartDigest:
    """Return what is known of the folders of a part, which is kept in the cache; the caller writes it."""
    looks = _look_at_part(folders, cache)
    return PartDigest(
        images=sum(look.digest.images for look in looks),
        content=b"".join(map(_write_look, looks)),
        empty=[look.folder.path for look in looks if look.digest.images == 0],
    )


def _write_look(look: _Look) -> bytes:
    """Return what a fingerprint is made of: the name of a folder, and the number and hash of its pictures."""
    digest = look.digest
    pictures = digest.content or digest.listing
    described = f"{digest.images}\0{pictures}\0{_hash_list(look.folder)}\0"
    # Names hold no NUL, so no two lists of them make the same text.
    return b"%s\0%s" % (os.fsencode(look.folder.key), described.encode())


def _look_at_part(folders: Sequence[PictureFolder], cache: FolderCache) -> list[_Look]:
    """Return the digests of all folders of a part, with the hash of their bytes where the part is not too large."""
    states = [read_state(folder.path) for folder in folders]
    looks = []
    for folder, state in zip(folders, states, strict=True):
        looks.append(_look_at_folder(folder, state, cache))
    if sum(look.digest.size for look in looks) <= MOST_BYTES_READ:
        looks = _read_contents(looks)
    else:
        # Nor do bytes count that were read when the part was smaller.
        looks = [replace(look, digest=replace(look.digest, content=None)) for look in looks]
    for look, state in zip(looks, states, strict=True):
        if look.is_settled:
            cache.keep_digest(look.folder.key, state, look.digest)
    return looks


def _look_at_folder(folder: PictureFolder, state: FolderState, cache: FolderCache) -> _Look:
    """Return what was kept of a folder in this state, or what its files tell."""
    kept = cache.find_digest(folder.key, state)
    if kept is not None:
        return _Look(folder, kept, is_settled=True)
    look = _look_at_files(folder, state)
    content = cache.find_content(folder.key, look.digest.stamp)
    return replace(look, digest=replace(look.digest, content=content))


def _look_at_files(folder: PictureFolder, state: FolderState) -> _Look:
    """Return what the names, sizes and times of change of the pictures in a folder tell."""
    listing, stamp = hashlib.sha256(), hashlib.sha256()
    total = 0
    newest_ns = state[-1]
    pictures = folder.list_pictures()
    descriptor = os.open(folder.path, os.O_RDONLY)
    try:
        for name in pictures:
            size, changed_ns = _read_file_state(name, descriptor)
            total += max(size, 0)
            newest_ns = max(newest_ns, changed_ns)
            listing.update(b"%s\0%d\0" % (os.fsencode(name), size))
            stamp.update(b"%s\0%d\0%d\0" % (os.fsencode(name), size, changed_ns))
    finally:
        os.close(descriptor)
    digest = FolderDigest(len(pictures), total, listing.hexdigest(), stamp.hexdigest())
    return _Look(folder, digest, is_settled(newest_ns))


def _read_file_state(name: str, folder: int) -> tuple[int, int]:
    """Return the bytes and the time of change of a file in an open folder; -1 bytes for what is no readable picture."""
    try:
        status = os.stat(name, dir_fd=folder)
    except OSError:
        # A link to nothing.
        return -1, 0
    is_file = stat.S_ISREG(status.st_mode)
    return (status.st_size if is_file else -1), status.st_ctime_ns


def _read_contents(looks: Sequence[_Look]) -> list[_Look]:
    """Return the looks with the hash of the bytes of each folder; what is not known is read."""
    unread = [look for look in looks if look.digest.content is None]
    if not unread:
        return list(looks)
    contents: dict[str, str] = {}
    pool = ThreadPoolExecutor(_THREADS)
    try:
        with SlowWork(f"reading the pictures of {unread[0].folder.part}/") as work:
            for look, content in zip(unread, pool.map(_read_content, unread), strict=True):
                contents[look.folder.key] = content
                work.count(len(contents), len(unread))
    finally:
        # A signal ends the loop: nobody waits for what was not begun.
        pool.shutdown(cancel_futures=True)
    read = []
    for look in looks:
        known = contents.get(look.folder.key) or look.digest.content
        read.append(replace(look, digest=replace(look.digest, content=known)))
    return read


def _read_content(look: _Look) -> str:
    """Return the hash of the names and bytes of the pictures in a folder."""
    path = look.folder.path.resolve()
    # Of what changed just now a further change might not show.
    read = _hash_settled_folder if look.is_settled else _hash_folder
    return read(path, look.digest.stamp)


def _hash_folder(path: Path, _stamp: str) -> str:
    digest = hashlib.sha256()
    for name in list_pictures(path).taken:
        try:
            content = read_bytes(path / name)
        except OSError:
            # What cannot be read is no picture, in training too.
            digest.update(b"%s\0-1\0" % os.fsencode(name))
            continue
        digest.update(b"%s\0%d\0" % (os.fsencode(name), len(content)))
        digest.update(content)
    return digest.hexdigest()


_hash_settled_folder = lru_cache(maxsize=10_000)(_hash_folder)
"""The same, read once in a process for each state of the files in a folder."""


def _hash_list(folder: PictureFolder) -> str:
    """Return the hash of the classes that a list states, by picture; nothing where the folder is of one class."""
    if not folder.listed:
        return ""
    digest = hashlib.sha256()
    for name, class_name in sorted(folder.listed.items()):
        digest.update(b"%s\0%s\0" % (os.fsencode(name), os.fsencode(class_name)))
    return digest.hexdigest()
