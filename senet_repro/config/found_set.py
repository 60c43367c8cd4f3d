"""The pictures that a run would see, known by a fingerprint (config floor; no torch).

Two runs share a key only if they see the same pictures, so the fingerprint of the set at `data.root` belongs to a run's
identity. It does not depend on where the set lies: a copy, a moved folder and a link to it have the same one.

- Class folders: the names of classes and files, and their bytes, see `folder_fingerprint`.
- COCO: the bytes of its annotations, and the names and bytes of its pictures, see `coco_files`.
- Sets that are read into memory as a whole: the bytes of their files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from senet_repro.config.cifar_files import find_cifar_files, find_encoding
from senet_repro.config.class_folders import find_class_folders, find_eval_folder
from senet_repro.config.coco_files import fingerprint_coco
from senet_repro.config.data_sets import read_set_facts
from senet_repro.config.folder_cache import FolderCache
from senet_repro.config.folder_fingerprint import fingerprint_folders, fingerprint_part
from senet_repro.config.imagenet_classes import find_foreign_names, read_wnids
from senet_repro.config.picture_folders import EVAL
from senet_repro.config.schema import Data, FoundSet, Run
from senet_repro.core.errors import DataError
from senet_repro.core.wording import count_noun, name_some

CACHE = ".sets"
"""The folder, below the results folder, that keeps what was found in the folders of large sets."""


def fill_in_set(run: Run) -> None:
    """Fill in what lies at `data.root`; nothing where no whole set does, of which only training complains.

    Raises:
        DataError: other pictures lie there than when the run was written down.
    """
    is_in_memory = run.data.kind == "memory" and run.data.name not in MEMORY_FILES
    if is_in_memory or run.data.kind == "drawn":
        # Whatever a command line says: this set is known by its name.
        run.data.found = None
        return
    if run.data.root is None:
        return
    try:
        found = find_set(run.data, Path(run.results_dir))
    except (DataError, OSError):
        return
    if found is not None:
        _refuse_change(run.data, found)
        run.data.found = found


def fill_in_counts(run: Run) -> bool:
    """Fill in the classes, pictures and title of a set that its file leaves to the folder; returns whether it did.

    Nothing is filled in for a run that was written down, which states what there was.

    Raises:
        DataError: no whole set lies at `data.root`.
    """
    data = run.data
    if data.found is not None or not read_set_facts(data.name).is_counted:
        return False
    found = find_set(data, Path(run.results_dir))
    assert found is not None
    if found.classes == 1:
        raise DataError(f"data.root={data.root}: there is one class, and a network tells two apart")
    data.found = found
    data.classes = data.classes or found.classes
    data.train_images, data.eval_images = found.train_images, found.eval_images
    data.title = _name_folder(Path(data.root or ""), data.title)
    return True


def _name_folder(root: Path, otherwise: str) -> str:
    """Return the name of a folder as a title; another one where it has none that can be printed."""
    name = root.resolve().name
    if name and name.isprintable():
        return name
    return otherwise


def find_set(data: Data, results_dir: Path, *, look_at_all: bool = False) -> FoundSet | None:
    """Return what lies at `data.root`; None for a set that is read from no files.

    With `look_at_all` the state of each file is looked at, also of a large set whose folders are as they were.

    Raises:
        DataError: no whole set lies there.
    """
    if data.kind in ("folders", "boxes"):
        cache = FolderCache.open(results_dir / CACHE, data.root or "")
        cache.trusts_folders &= not look_at_all
        fingerprint = fingerprint_folders if data.kind == "folders" else fingerprint_coco
        return fingerprint(data, cache)
    if data.name in MEMORY_FILES:
        return _find_memory_set(data)
    return None


def fingerprint_eval_folders(data: Data, results_dir: Path) -> str:
    """Return the fingerprint of the evaluation part of a set in folders, of which no other part need be there.

    Raises:
        DataError: it is not there; the message names what was looked for.
    """
    # Kept apart from what is kept of the whole set: that would lose its training part.
    part = find_eval_folder(Path(data.root)) if data.root else ""
    cache = FolderCache.open(results_dir / CACHE, str(part))
    return fingerprint_part(data, EVAL, cache)


def check_set(run: Run) -> None:
    """Accept a run whose set is there and can be trained on.

    Raises:
        DataError: it is not; the message names what was looked for, and the mend.
    """
    data = run.data
    found = data.found or find_set(data, Path(run.results_dir))
    # A set that is read from no files is always there.
    if found is None:
        return
    if found.train_images < run.recipe.batch_size:
        raise DataError(
            f"{data.root} holds {count_noun(found.train_images, 'training image')}, fewer than one batch: "
            f"give recipe.batch_size={found.train_images} or less"
        )
    if run.init.weights is not None and data.kind == "folders":
        _check_outputs(data)


def confirm_set(run: Run) -> None:
    """Accept a run whose pictures are those that it is known by: each of them is looked at, whatever is known already.

    Raises:
        DataError: they have changed since the command was given.
    """
    if run.data.found is None:
        return
    found = find_set(run.data, Path(run.results_dir), look_at_all=True)
    if found is not None:
        _refuse_change(run.data, found)


def _refuse_change(data: Data, found: FoundSet) -> None:
    """Refuse pictures that are not those of a run that was written down or begun."""
    if data.found is None or data.found.fingerprint == found.fingerprint:
        return
    differing = []
    for name in ("classes", "train_images", "eval_images"):
        count, before = getattr(found, name), getattr(data.found, name)
        if count != before:
            differing.append(f"{count:,} {name.replace('_', ' ')} where there were {before:,}")
    how = ", ".join(differing) or "other names or bytes"
    raise DataError(
        f"data.root={data.root}: its pictures are no longer those that the run is known by ({how}); "
        "put those back, or give the command again to train on these as a run of their own"
    )


def _check_outputs(data: Data) -> None:
    """Refuse class folders of which nobody knows which outputs of the network are theirs."""
    classes = find_class_folders(data)
    names = classes.names
    wnids = read_wnids()
    if classes.is_numbered:
        foreign = []
    elif data.classes == len(wnids):
        foreign = find_foreign_names(names)
    elif len(names) < data.classes:
        foreign = names
    else:
        # A folder for each output: they are taken in the order of their names.
        foreign = []
    if foreign:
        raise DataError(
            f"{data.root}: weights from outside have {data.classes:,} outputs, and which of them is that of "
            f"{name_some(foreign)} cannot be known; name ImageNet's class folders by their WordNet ids, such as "
            f"{next(iter(wnids))}, or give weights and data.classes for as many classes as there are folders"
        )


def _list_cifar_files(data: Data) -> list[Path]:
    return find_cifar_files(data.name, data.root).all_files


MEMORY_FILES: dict[str, Callable[[Data], list[Path]]] = {
    "cifar10": _list_cifar_files,
    "cifar100": _list_cifar_files,
}
"""The files below `data.root` of each set that is read into memory, in a fixed order; other sets lie in no files."""


def _find_memory_set(data: Data) -> FoundSet:
    digest = hashlib.sha256()
    encodings = set()
    for file in MEMORY_FILES[data.name](data):
        status = file.stat()
        # A file that was written to has another time of change, which nobody can set.
        state = (status.st_size, status.st_ino, status.st_ctime_ns)
        content, encoding = _look_into_file(file.resolve(), state)
        digest.update(content)
        encodings.add(encoding)
    # Reading the set refuses any other numbers.
    return FoundSet(
        fingerprint=digest.hexdigest(),
        classes=data.classes,
        train_images=data.train_images,
        eval_images=data.eval_images,
        encoding=next(filter(None, encodings), None),
    )


@lru_cache(maxsize=64)
def _look_into_file(file: Path, _state: tuple[int, ...]) -> tuple[bytes, str | None]:
    """Return the hash of a file's bytes and how its pictures were encoded anew, once for each state of the file."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").digest()
    return digest, find_encoding(file)
