"""Write, read and check the files that hold what was found of given weights, without training (results floor)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_versioned, write_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Types = Mapping[str, tuple[type, ...]]
"""The types that the fields of an entry have in its file; those that are not named are text."""

FOLDER = "folder"
"""The field of a finding that says where it was read from, and is no part of its file."""


def write_fields(finding: DataclassInstance) -> dict[str, Any]:
    """Return a finding as its file holds it."""
    values = asdict(finding)
    del values[FOLDER]
    return values


def write_list(path: Path, name: str, version: int, findings: Iterable[DataclassInstance]) -> None:
    """Write a file that lists findings under a name, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    listed = [write_fields(finding) for finding in findings]
    write_json(path, {"schema_version": version, name: listed})


def read_list(
    path: Path, name: str, version: int, is_sound: Callable[[Any], bool], mend: str
) -> list[dict[str, Any]]:
    """Return the entries that a file lists under a name, in their order; none where there is no file.

    `mend` says how what the file should hold is made anew.

    Raises:
        ConfigError: the file lists none, an entry is not sound, or a newer senet_repro wrote it.
    """
    if not path.exists():
        return []
    listed = read_versioned(path, version).get(name)
    if not isinstance(listed, list) or not all(map(is_sound, listed)):
        raise ConfigError(
            f"{path} holds no {name} as senet_repro writes them: remove it, and {mend}"
        )
    return listed


def has_fields(
    entry: Mapping[str, Any],
    names: Collection[str],
    types: Types,
    parts: Mapping[str, Collection[str]],
) -> bool:
    """Return whether an entry has fields of these names and no others, each of its type.

    `parts` are the keys that fields which are objects have at least; such a field may be null.
    """
    if entry.keys() != set(names):
        return False
    for name, value in entry.items():
        if not isinstance(value, types.get(name, (str,))):
            return False
    return all(
        entry[part] is None or entry[part].keys() >= set(keys) for part, keys in parts.items()
    )
