"""Which pictures the numbers of a record are of, and whether these are the whole of a set (report floor).

A record keeps in its settings how many classes and pictures its run found at `data.root`. Records of sets that are read
from no folder, and those made before this was kept, have nothing there; their evaluation images are counted.
"""

from __future__ import annotations

from typing import Any

from senet_repro.config.conf_dir import list_files
from senet_repro.config.data_sets import SetFacts, count_classes, read_set_facts, read_side
from senet_repro.core.errors import ConfigError
from senet_repro.report.tables.departures import Departure
from senet_repro.results.record import Record

FINGERPRINT = "data.fingerprint"
"""The setting of a protocol that tells one copy of a set from another."""

SET_SETTINGS = (FINGERPRINT, "data.encoding")
"""The settings of a protocol that say which copy of a set it was."""

_COUNTS = ("classes", "train_images", "eval_images")


def name_set(record: Record) -> str:
    """Return the name of the set, or of the folder whose pictures are one."""
    facts = _read_facts(record)
    if facts is None or not facts.is_counted:
        return _read_name(record)
    title: str = record.config["data"].get("title") or facts.title
    return title


def describe_set(record: Record) -> str:
    """Return the name of the set, of a part or a folder what there was, and how its pictures were changed.

    Such as `imagenet folder, 4 classes, 8 images` or `cifar10 reduced to 16x16, re-encoded as JPEG`.
    """
    described = name_set(record)
    counts = _read_counts(record)
    if counts is not None and not _has_all_pictures(record):
        images = f"{counts['train_images']:,} images"
        described += f" folder, {counts['classes']:,} classes, {images}"
    changes = []
    side_px = _read_reduced_side(record)
    if side_px is not None:
        changes.append(f"reduced to {side_px}x{side_px}")
    encoding = _read_encoding(record)
    if encoding is not None:
        changes.append(f"re-encoded as {encoding}")
    if not changes:
        return described
    return f"{described} {', '.join(changes)}"


def describe_set_departure(record: Record) -> Departure | None:
    """Return what there was of a set, the whole of it in brackets; None where it was the set itself, or any folder."""
    facts = _read_facts(record)
    described = describe_set(record)
    if facts is None or facts.is_counted or described == _read_name(record):
        return None
    name = _read_name(record)
    whole = []
    if not _has_all_pictures(record):
        whole.append(f"{count_classes(name):,} classes, {facts.train_images:,} images")
    if _read_reduced_side(record) is not None:
        side_px = read_side(name)
        whole.append(f"{side_px}x{side_px}")
    if _read_encoding(record) is not None:
        whole.append("as published")
    return Departure("set", described, ", ".join(whole))


def is_whole_set(record: Record) -> bool:
    """Return whether a run saw a set as it is: all its classes and pictures, at their size.

    A set that nobody described counts as whole, and pictures of any folder never do.
    """
    return _has_all_pictures(record) and _read_reduced_side(record) is None


def count_pictures(record: Record) -> str:
    """Return how many pictures a run was trained and evaluated on, as far as its record says so."""
    evaluated = f"{record.eval_images:,} evaluation images"
    counts = _read_counts(record)
    if not counts:
        return evaluated
    return f"{counts['train_images']:,} training images, {evaluated}"


def _has_all_pictures(record: Record) -> bool:
    """Return whether a run saw as many classes and pictures as its set has; so it is of a set that nobody described."""
    facts = _read_facts(record)
    if facts is None:
        return True
    counts = _read_counts(record)
    if counts is None:
        return _count_evaluated(record) == facts.eval_images
    found = tuple(counts[key] for key in _COUNTS)
    return found == (count_classes(_read_name(record)), facts.train_images, facts.eval_images)


def _read_reduced_side(record: Record) -> int | None:
    """Return the side in pixels that a run's pictures were reduced to; None where they were as they are stored."""
    facts = _read_facts(record)
    side_px: int = record.protocol["data"]["eval_px"]
    # Pictures that lie in files are brought to one size by every run.
    if facts is None or facts.kind != "memory":
        return None
    stored_px = read_side(_read_name(record))
    if side_px >= stored_px:
        return None
    return side_px


def _read_encoding(record: Record) -> str | None:
    """Return how a run's pictures were encoded anew; None where they were not, or the record is older than this."""
    encoding: str | None = record.protocol["data"].get("encoding")
    return encoding


def _read_facts(record: Record) -> SetFacts | None:
    """Return the facts of a run's set; None for a set that no file describes."""
    name = _read_name(record)
    if name not in list_files("data"):
        return None
    subset = record.protocol["data"].get("subset")
    try:
        return read_set_facts(name, subset)
    except ConfigError:
        # A subset that the set had once.
        return None


def _read_name(record: Record) -> str:
    return str(record.protocol["data"]["name"])


def _read_counts(record: Record) -> dict[str, int] | None:
    """Return what a run found at `data.root`; None where its record does not say."""
    found: Any = record.config["data"].get("found")
    if not isinstance(found, dict):
        return None
    # The protocol decides the record's key; what the settings say of other pictures does not count.
    if found.get("fingerprint") != record.protocol["data"].get("fingerprint"):
        return None
    counts: dict[str, int] = {}
    for key in _COUNTS:
        count = found.get(key)
        # A record may be edited by hand, and true is no count.
        if type(count) is not int or count <= 0:
            return None
        counts[key] = count
    return counts


def _count_evaluated(record: Record) -> int:
    """Return how many evaluation images there were, those that could not be read included."""
    return record.eval_images + len(record.skipped.get("test", ()))
