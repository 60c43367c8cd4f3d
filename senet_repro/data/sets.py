"""Image sets that fit in memory: digits, CIFAR-10 and CIFAR-100 as uint8 tensors."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from senet_repro.config.schema import WHOLE_SETS, Data
from senet_repro.core.errors import DataError
from senet_repro.data.cifar import load_cifar
from senet_repro.data.images import ImageSet, Split

IN_MEMORY = ("digits", "cifar10", "cifar100")
# One split for every run ever made: the seed of a run must not decide what it is tested on.
DIGITS_SPLIT_SEED = 0


def load_in_memory(data: Data) -> Split:
    """The set that `data` names; a second call in the same process returns the very same tensors.

    Raises:
        DataError: The set is not found where `data.root` points, is not whole, a file of it cannot be read, or
            `data` states another image size or fewer classes than the set has.
    """
    root = None if data.root is None else str(Path(data.root).expanduser().resolve())
    split = _load(data.name, root, data.download, data.skip_corrupt)
    _check(data, split)
    return split


@lru_cache(maxsize=2)
def _load(name: str, root: str | None, download: bool, skip_corrupt: bool) -> Split:
    if name == "digits":
        return load_digits()
    return load_cifar(name, root, download, skip_corrupt)


def _check(data: Data, split: Split) -> None:
    side = split.train.images.shape[-1]
    if (data.train_px, data.eval_px) != (side, side):
        raise DataError(
            f"{data.name} images are {side} px a side and are not resized: "
            f"give data.train_px={side} data.eval_px={side}"
        )
    sizes = tuple(len(part) + len(part.skipped) for part in (split.train, split.test))
    whole = WHOLE_SETS[data.name]  # the key of a run does not say how many images it saw
    if sizes != whole:
        raise DataError(
            f"{data.root or data.name} holds {sizes[0]:,} training and {sizes[1]:,} test images where {data.name} has "
            f"{whole[0]:,} and {whole[1]:,}: a part of it would pass for the whole in the tables"
        )
    classes = 1 + max(int(part.labels.max()) for part in (split.train, split.test))
    if classes > data.classes:
        raise DataError(f"{data.name} has {classes} classes: give data.classes={classes}")


def load_digits() -> Split:
    """scikit-learn's 1,797 handwritten digits (8 x 8 px), 1,437 for training and 360 for testing.

    Grey values 0..16 are scaled to 0..255 and repeated over three channels. The split is stratified by class
    and fixed once and for all by `DIGITS_SPLIT_SEED`.
    """
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    digits = datasets.load_digits()
    grey = torch.from_numpy(digits.images * (255 / 16)).round().to(torch.uint8)
    images = grey.unsqueeze(1).repeat(1, 3, 1, 1)
    labels = torch.from_numpy(digits.target).long()
    train, test = train_test_split(
        range(len(labels)),
        test_size=WHOLE_SETS["digits"][1],
        stratify=digits.target,
        random_state=DIGITS_SPLIT_SEED,
    )
    return Split(ImageSet(images[train], labels[train]), ImageSet(images[test], labels[test]))
