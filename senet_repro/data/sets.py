"""Image sets that fit in memory, as uint8 tensors: one reader for each, and the checks that all must pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from senet_repro.config.data_sets import read_set_facts
from senet_repro.config.found_set import find_set
from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.data.images import ImageSet, Split
from senet_repro.data.set_cache import KeptSet

# One split for every run ever made: the seed of a run must not decide what it is tested on.
DIGITS_SPLIT_SEED = 0
DIGITS_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
"""The hash of all pixels, then all labels, a byte each: a run on digits is known by the name of the set alone."""


@dataclass(frozen=True)
class Source:
    """Where a set is read from, and how; equal sources are read once in a process."""

    name: str
    root: str | None  # absolute
    download: bool
    skip_corrupt: bool
    fingerprint: str | None  # of the files
    px: int | None = None  # side that its images are reduced to; None: they stay as they are
    # Where decoded sets are kept (None: nowhere), and the settings; neither decides what is read.
    kept_in: Path | None = field(default=None, compare=False)
    data: Data | None = field(default=None, compare=False)


def load_digits() -> Split:
    """Return scikit-learn's 1,797 handwritten digits (8 x 8 px), 1,437 for training and 360 for testing.

    Grey values 0..16 are scaled to 0..255 and repeated over three channels. The split is stratified by class
    and fixed once and for all by `DIGITS_SPLIT_SEED`.

    Raises:
        DataError: The installed scikit-learn has other digits.
    """
    # Late: scikit-learn takes a second to import, and no other set needs it.
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    digits = datasets.load_digits()
    _check_digits(digits.images, digits.target)
    scaled = torch.from_numpy(digits.images * (255 / 16))
    grey = scaled.round().to(torch.uint8)
    images = grey.unsqueeze(1).repeat(1, 3, 1, 1)
    labels = torch.from_numpy(digits.target).long()
    indices = range(len(labels))
    train, test = train_test_split(
        indices,
        test_size=read_set_facts("digits").eval_images,
        stratify=digits.target,
        random_state=DIGITS_SPLIT_SEED,
    )
    return Split(
        train=ImageSet(images[train], labels[train]),
        test=ImageSet(images[test], labels[test]),
    )


def _check_digits(images: np.ndarray, labels: np.ndarray) -> None:
    """Refuse other digits than those of every record: no fingerprint would tell them apart."""
    digest = hashlib.sha256(images.astype(np.uint8).tobytes())
    digest.update(labels.astype(np.uint8).tobytes())
    if digest.hexdigest() != DIGITS_SHA256:
        raise DataError(
            "the digits of the installed scikit-learn are not those of earlier records: install the version of "
            "requirements.lock"
        )


def _read_digits(source: Source) -> Split:
    return load_digits()


def _read_cifar(source: Source) -> Split:
    if source.kept_in is None or source.fingerprint is None:
        return _decode_cifar(source)
    kept = KeptSet(source.kept_in, source.name, source.fingerprint)
    return kept.read_or_make(partial(_decode_cifar, source), partial(_has_same_files, source))


def _decode_cifar(source: Source) -> Split:
    # Late: the libraries that read its files are not needed where its pixels are kept.
    from senet_repro.data.cifar import load_cifar

    return load_cifar(source.name, source.root, source.download, source.skip_corrupt)


def _has_same_files(source: Source) -> bool:
    """Return whether the files of a set are still those that its fingerprint is of."""
    assert source.data is not None
    try:
        found = find_set(source.data, Path())
    except (DataError, OSError):
        return False
    return found is not None and found.fingerprint == source.fingerprint


READERS: dict[str, Callable[[Source], Split]] = {
    "digits": _read_digits,
    "cifar10": _read_cifar,
    "cifar100": _read_cifar,
}
"""The reader of each set whose file in conf/data/ states `kind: memory`; a set in class folders needs none."""


def check_reader(data: Data) -> None:
    """Accept a set in folders, or one in memory that has a reader.

    Raises:
        DataError: No reader has the name `data.name`.
    """
    if data.kind == "memory" and data.name not in READERS:
        raise DataError(
            f"no image set {data.name}: no reader in senet_repro/data/sets.py has that name; "
            f"give data={'|'.join(READERS)}"
        )


def load_in_memory(data: Data, kept_in: Path | None = None) -> Split:
    """Return the set that `data` names; a second call in the same process returns the very same tensors.

    `kept_in` is the folder in which decoded sets are kept for other processes; None: they are not.

    Raises:
        DataError: The set has no reader, is not found where `data.root` points, is not whole, a file of it cannot be
            read, or `data` states another image size or fewer classes than the set has.
    """
    check_reader(data)
    root = None
    if data.root is not None:
        root = str(Path(data.root).resolve())
    fingerprint = None
    if data.found:
        fingerprint = data.found.fingerprint
    source = Source(
        data.name, root, data.download, data.skip_corrupt, fingerprint, data.px, kept_in, data
    )
    split = _read_set(source)
    _check_split(data, split)
    return split


@lru_cache(maxsize=2)
def _read_set(source: Source) -> Split:
    read = READERS[source.name]
    split = read(source)
    if source.px is None:
        return split
    return Split(split.train.reduce_to(source.px), split.test.reduce_to(source.px))


def _check_split(data: Data, split: Split) -> None:
    """Refuse a set that `data` does not describe."""
    side = split.train.images.shape[-1]
    if (data.train_px, data.eval_px) != (side, side):
        raise DataError(
            f"{data.name} images are {side} px a side and are not resized: "
            f"give data.train_px={side} data.eval_px={side}"
        )
    train_images = split.train.count_all()
    test_images = split.test.count_all()
    if (train_images, test_images) != (data.train_images, data.eval_images):
        raise DataError(
            f"{data.root or data.name} holds {train_images:,} training and {test_images:,} test images where "
            f"{data.name} has {data.train_images:,} and {data.eval_images:,}: "
            "a part of it would pass for the whole in the tables"
        )
    labels = torch.cat([split.train.labels, split.test.labels])
    classes = int(labels.max()) + 1
    if classes > data.classes:
        raise DataError(f"{data.name} has {classes} classes: give data.classes={classes}")
