"""Which pictures the numbers of a record are of, and whether these are the whole of a set (report floor).

A record keeps in its settings how many classes and pictures its run found at `data.root`. Records of sets that are read
from no folder, and those made before this was kept, have nothing there; their evaluation images are counted.
"""

from __future__ import annotations

from typing import Any

from senet_repro.config.conf_dir import list_files
from senet_repro.config.data_sets import count_classes, read_set_facts
from senet_repro.results.record import Record

FINGERPRINT = "data.fingerprint"
"""The setting of a protocol that tells one copy of a set from another."""

_COUNTS = ("classes", "train_images", "eval_images")


def describe_set(record: Record) -> str:
    """Return the name of the set and, of a part of it, what there was: `imagenet folder, 4 classes, 8 images`."""
    name = _name_set(record)
    counts = _read_counts(record)
    if counts is None or is_whole_set(record):
        return name
    return f"{name} folder, {counts['classes']:,} classes, {counts['train_images']:,} images"


def describe_set_departure(record: Record) -> str | None:
    """Return what there was of a set, the whole of it in brackets; None where that is known of no part."""
    name = _name_set(record)
    described = describe_set(record)
    if described == name:
        return None
    whole = read_set_facts(name)
    return f"set {described} ({count_classes(name):,} classes, {whole.train_images:,} images)"


def is_whole_set(record: Record) -> bool:
    """Return whether a run saw as many classes and pictures as its set has; so it is of a set that nobody described."""
    name = _name_set(record)
    if name not in list_files("data"):
        return True
    facts = read_set_facts(name)
    counts = _read_counts(record)
    if counts is None:
        return _count_evaluated(record) == facts.eval_images
    found = tuple(counts[key] for key in _COUNTS)
    return found == (count_classes(name), facts.train_images, facts.eval_images)


def count_pictures(record: Record) -> str:
    """Return how many pictures a run was trained and evaluated on, as far as its record says so."""
    evaluated = f"{record.eval_images:,} evaluation images"
    counts = _read_counts(record)
    return f"{counts['train_images']:,} training images, {evaluated}" if counts else evaluated


def _name_set(record: Record) -> str:
    return str(record.protocol["data"]["name"])


def _read_counts(record: Record) -> dict[str, int] | None:
    """Return what a run found at `data.root`; None where its record does not say."""
    found: Any = record.config["data"].get("found")
    if not isinstance(found, dict):
        return None
    # The protocol decides the record's key; what the settings say of other pictures does not count.
    if found.get("fingerprint") != record.protocol["data"].get("fingerprint"):
        return None
    counts: dict[str, int] = {key: found.get(key, 0) for key in _COUNTS}
    is_sound = all(type(count) is int and count > 0 for count in counts.values())
    return counts if is_sound else None


def _count_evaluated(record: Record) -> int:
    """Return how many evaluation images there were, those that could not be read included."""
    return record.eval_images + len(record.skipped.get("test", ()))
