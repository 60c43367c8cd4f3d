"""The outcome of every evaluation image: its label and the likeliest classes (results floor; numpy once it is needed).

A record counts the images that were right; this file says which ones, so that two runs can be compared image by image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.results.arrays import hash_arrays, read_arrays, require_hash, write_arrays
from senet_repro.results.metrics import Metric
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np

OUTCOMES_FILE = RunFolder(Path()).outcomes_file.name
"""The file's name, wherever outcomes are kept."""

MOST_RANKS = 5
"""The number of likeliest classes of an image that are kept."""

# What messages call the content of the file.
_NOUN = "outcomes"
# As numpy writes its types, the order of bytes included: uint8 and uint16.
_SMALL_TYPE, _LARGE_TYPE = "|u1", "<u2"
_MOST_SMALL = 255
# Of so many files the outcomes are kept in memory: 0.1 MB each for CIFAR, of which a campaign may have a thousand, and
# 0.6 MB for ImageNet, of which nobody has. Where a campaign has more, most files are read again for each comparison.
_MOST_KEPT = 2048


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The outcomes of N evaluation images, in the order of the evaluation set."""

    labels: np.ndarray  # (N,) uint16
    likeliest: (
        np.ndarray
    )  # (N, k) uint8 or uint16: the k <= 5 likeliest classes, the best one first

    def list_hits(self, k: int) -> np.ndarray:
        """Return for each image whether its label is among the first k classes, bool (N,); all are, of k classes."""
        hits: np.ndarray = self.likeliest[:, 0] == self.labels
        # Rank by rank: `any` over so few columns takes five times as long.
        for classes in self.likeliest[:, 1:k].T:
            hits |= classes == self.labels
        return hits

    @cached_property
    def digest(self) -> str:
        """The hash of both arrays: their shapes, types and bytes."""
        return hash_arrays((self.labels, self.likeliest))

    def has_labels_of(self, other: Outcomes) -> bool:
        """Return whether another run was evaluated on images with the same labels, as the same images have."""
        import numpy as np

        return np.array_equal(self.labels, other.labels)

    def summarise(self) -> dict[str, str | int]:
        """Return what a record keeps of the outcomes: their hash, and how many images and classes they hold."""
        images, ranks = self.likeliest.shape
        return {"sha256": self.digest, "images": images, "ranks": ranks}

    def write_into(self, folder: Path) -> None:
        """Write the outcomes into a folder, whole or not at all; the same outcomes are the same bytes."""
        arrays = {"labels": self.labels, "likeliest": self.likeliest}
        write_arrays(RunFolder(folder).outcomes_file, arrays)


def pack_outcomes(labels: np.ndarray, likeliest: np.ndarray) -> Outcomes:
    """Return outcomes of whole numbers of any type: labels (N,) and classes (N, k), in the smallest type they fit."""
    is_small = likeliest.size == 0 or int(likeliest.max()) <= _MOST_SMALL
    class_type = _SMALL_TYPE if is_small else _LARGE_TYPE
    return Outcomes(labels.astype(_LARGE_TYPE), likeliest.astype(class_type))


def read_outcomes(path: Path) -> Outcomes:
    """Return the outcomes in a file.

    Raises:
        ConfigError: there are none in it, or it cannot be read; the message names it.
    """
    return read_arrays(path, _NOUN, _unpack_outcomes)


def measure_errors(outcomes: Outcomes, metrics: Sequence[Metric]) -> dict[str, float]:
    """Return those of the metrics that follow from outcomes, in percent by their names."""
    return {
        metric.name: 100 * (1 - float(outcomes.list_hits(metric.rank).mean()))
        for metric in metrics
        if metric.rank is not None
    }


def find_disagreement(
    measured: Mapping[str, float], values: Mapping[str, float]
) -> tuple[str, float] | None:
    """Return the first metric whose value is not the one measured on outcomes, by its name and with that one.

    Both are by the names of metrics. None is returned where they agree in all that both have.
    """
    for name, figure in measured.items():
        is_same = name not in values or math.isclose(
            figure, values[name], rel_tol=1e-9, abs_tol=1e-9
        )
        if not is_same:
            return name, figure
    return None


def load_outcomes(record: Record) -> Outcomes | None:
    """Return the outcomes beside a record; None where the record has none that rank classes, or their file is gone.

    Raises:
        ConfigError: the file holds no outcomes, or others than those that the record was made with.
    """
    # Detections rank no classes, and lie in a file of their own.
    if record.folder is None or record.outcomes is None or "ranks" not in record.outcomes:
        return None
    path = RunFolder(record.folder).outcomes_file
    try:
        found = path.stat()
    except OSError:
        return None
    return _load_once(path, record.outcomes["sha256"], (found.st_mtime_ns, found.st_size))


# A table asks for the outcomes of a run once for each row and claim that it is a part of.
@lru_cache(maxsize=_MOST_KEPT)
def _load_once(path: Path, sha256: str, _state: tuple[int, int]) -> Outcomes:
    """Return the outcomes in a file whose hash is known; `_state` is another one where the file was changed."""
    outcomes = read_outcomes(path)
    require_hash(path, _NOUN, outcomes.digest, sha256)
    return outcomes


def _unpack_outcomes(arrays: Mapping[str, np.ndarray]) -> Outcomes:
    """Return the outcomes that arrays hold.

    Raises:
        ValueError: they are of another form.
        KeyError: one is missing.
    """
    labels, likeliest = arrays["labels"], arrays["likeliest"]
    is_known = likeliest.dtype.str in (_SMALL_TYPE, _LARGE_TYPE)
    if labels.dtype.str != _LARGE_TYPE or not is_known:
        raise ValueError(f"its numbers are {labels.dtype} and {likeliest.dtype}")
    is_sound = labels.ndim == 1 and likeliest.ndim == 2 and len(labels) == len(likeliest)
    if not is_sound or not 1 <= likeliest.shape[1] <= MOST_RANKS:
        raise ValueError(f"its arrays are {labels.shape} and {likeliest.shape}")
    return Outcomes(labels, likeliest)
