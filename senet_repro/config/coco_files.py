"""COCO's layout below `data.root`, and the fingerprint of what lies there (config floor; no torch).

annotations/instances_train2017.json    the objects of the training pictures
annotations/instances_val2017.json      those of the evaluation pictures
train2017/*.jpg                         or images/train2017/*.jpg
val2017/*.jpg                           likewise
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from senet_repro.config.class_folders import INNER_FOLDER
from senet_repro.config.folder_cache import FolderCache, FolderDigest, is_settled, read_state
from senet_repro.config.folder_fingerprint import PartDigest, digest_part
from senet_repro.config.picture_folders import (
    EVAL,
    PARTS,
    TRAIN,
    PictureFolder,
    refuse_empty_classes,
    require_folder,
)
from senet_repro.config.schema import Data, FoundSet
from senet_repro.core.errors import DataError
from senet_repro.core.slow_work import SlowWork
from senet_repro.core.wording import join_words

YEAR = "2017"


@dataclass(frozen=True)
class CocoPart:
    """The files of one part of a set, training or evaluation."""

    part: str  # train or val
    annotations: Path
    pictures: PictureFolder


def find_coco_parts(data: Data, parts: Sequence[str] = PARTS) -> list[CocoPart]:
    """Return the files of some parts of the set at `data.root`; no other part need be there.

    Raises:
        DataError: any are missing; the message names all of them, and the mend.
    """
    wanted = " and ".join(f"DIR/annotations/{_name_annotations(part)}" for part in parts)
    if data.root is None:
        raise DataError(f"{data.name} is read from files: give data.root=DIR with {wanted}")
    root = Path(data.root)
    require_folder(root)
    missing = list(_find_missing(root, parts))
    if missing:
        raise DataError(
            f"data.root={root}: no {join_words(missing, 'and no')} there; unpack COCO's archives of {YEAR} into one "
            "folder, and give that"
        )
    found = []
    for part in parts:
        pictures = PictureFolder(part, _find_pictures(root, part), "")
        found.append(CocoPart(part, _find_annotations(root, part), pictures))
    return found


def fingerprint_coco(data: Data, cache: FolderCache) -> FoundSet:
    """Return what lies in the files of a set, known by its fingerprint: the bytes of annotations and pictures.

    Pictures are counted by their files. The annotations may list fewer, and are not read for that: to take them apart
    takes longer than a command may.

    Raises:
        DataError: no whole set lies there.
    """
    whole = hashlib.sha256()
    digests: dict[str, PartDigest] = {}
    for found in find_coco_parts(data):
        pictures = digest_part([found.pictures], cache)
        refuse_empty_classes(pictures.empty)
        digests[found.part] = pictures
        annotations = _hash_annotations(found, cache)
        whole.update(b"%s\0%s\0" % (found.part.encode(), annotations.encode()))
        whole.update(pictures.content)
    cache.write_digests()
    return FoundSet(
        fingerprint=whole.hexdigest(),
        # Reading the annotations refuses more.
        classes=data.classes,
        train_images=digests[TRAIN].images,
        eval_images=digests[EVAL].images,
    )


def _find_missing(root: Path, parts: Sequence[str]) -> Iterator[str]:
    """Yield the name of each file and folder that is not there."""
    for part in parts:
        annotations = _find_annotations(root, part)
        if not annotations.is_file():
            yield str(annotations.relative_to(root))
        if not _find_pictures(root, part).is_dir():
            yield f"{part}{YEAR}/"


def _find_annotations(root: Path, part: str) -> Path:
    return root / "annotations" / _name_annotations(part)


def _name_annotations(part: str) -> str:
    return f"instances_{part}{YEAR}.json"


def _find_pictures(root: Path, part: str) -> Path:
    """Return the folder with the pictures of a part, whether it is there or not."""
    name = f"{part}{YEAR}"
    inner = root / INNER_FOLDER / name
    if inner.is_dir() and not (root / name).is_dir():
        return inner
    return root / name


def _hash_annotations(found: CocoPart, cache: FolderCache) -> str:
    """Return the hash of the bytes of the annotations; the bytes of a file that is as it was are not read again."""
    file = found.annotations
    key = f"{found.part}/annotations"
    state = read_state(file)
    size = file.stat().st_size
    stamp = hashlib.sha256(repr((size, state)).encode()).hexdigest()
    content = cache.find_content(key, stamp)
    if content is None:
        with SlowWork(f"reading {file.name}"):
            content = _hash_file(file.resolve(), stamp)
    if is_settled(state[-1]):
        cache.keep_digest(key, state, FolderDigest(0, size, "", stamp, content))
    return content


@lru_cache(maxsize=64)
def _hash_file(file: Path, _stamp: str) -> str:
    """Return the hash of a file's bytes, read once in a process for each state of the file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
