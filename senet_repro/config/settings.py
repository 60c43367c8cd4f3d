"""Refuse settings that no command may give, before anything is composed (config floor; no torch)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, QuotedString, Sweep

from senet_repro.config.conf_dir import TABLE_GROUPS, list_files
from senet_repro.config.explain import explain_unknown_key, explain_wrong_value, write_value
from senet_repro.config.keys import exists, list_facts, list_groups, list_keys, read_defaults
from senet_repro.config.overrides import parse_override
from senet_repro.core.choice import find_nearest
from senet_repro.core.errors import ConfigError


def check_settings(overrides: Sequence[str]) -> None:
    """Accept settings whose keys exist and are a command's to give; values are for the schema to check.

    `overrides` are those that `read_overrides` returns.

    Raises:
        ConfigError: a key is unknown, or belongs to the files of a group; the message names what to give instead.
    """
    for override in overrides:
        _check_override(parse_override(override))


def _check_override(override: Override) -> None:
    key = override.key_or_group
    if key in list_groups():
        _check_choice(override)
    for name, value in _list_leaves(key, override):
        _check_key(name, value)


def _check_choice(override: Override) -> None:
    """Accept a choice of one file of a group, or keys of the group written as `{key: value}`."""
    group = override.key_or_group
    if override.package is not None:
        raise ConfigError(
            f"{override.input_line}: give {_name_choice(group, override.value())}, without @{override.package}"
        )
    for value in _read_values(override):
        if isinstance(value, list):
            noun = f"file of conf/{group}/"
            if group in TABLE_GROUPS:
                noun = "table"
            raise ConfigError(f"{override.input_line}: give one {noun} at a time")
        # A file's name, or keys of the group with their values.
        says_something = isinstance(value, str | Mapping) and bool(value)
        if not (says_something or override.is_delete()):
            raise ConfigError(
                f"{group} is one of the files of conf/{group}/, not {write_value(value)}, such as {_name_choice(group)}"
            )


def _check_key(key: str, value: Any) -> None:
    """Accept a key that exists, and that neither is a fact of a file nor stands below or above one."""
    if not exists(key):
        raise ConfigError(explain_unknown_key(key))
    facts = list_facts()
    fact = next((name for name in facts if key == name or key.startswith(f"{name}.")), None)
    if fact is None:
        _check_form(key, value)
        return
    group = key.partition(".")[0]
    if group == "table":
        raise ConfigError(
            f"{key} belongs to the files of conf/ablation/ and conf/experiment/: choose one, {_name_choice('ablation')}"
        )
    mend = f"choose a file, {_name_choice(group, value)}"
    if facts[fact]:
        mend += f", or give {facts[fact]}"
    raise ConfigError(f"{key} belongs to conf/{group}/: {mend}")


def _check_form(key: str, value: Any) -> None:
    """Accept a value that OmegaConf may look at.

    It would take lists within lists, and any number for true, and would not name the key of keys in a list's place.
    """
    known = list_keys().get(key)
    if known is None or known.holds_keys:
        return
    holds_lists = isinstance(value, list) and any(isinstance(item, list) for item in value)
    is_no_list = isinstance(value, Mapping) or holds_lists
    is_number_for_bool = known.item_type is bool and isinstance(value, int) and value not in (0, 1)
    if (known.is_list and is_no_list) or is_number_for_bool:
        raise ConfigError(explain_wrong_value(key, value))


def _name_choice(group: str, wanted: Any = None) -> str:
    """Return the setting that chooses a file of a group: that of the wanted name, or one that comes near."""
    files = list_files(group)
    if group in TABLE_GROUPS:
        return f"+{group}={files[0]}"
    name = find_nearest(str(wanted), files) or _find_default(group)
    return f"{group}={name}"


def _find_default(group: str) -> str:
    """Return the file of a group that a command takes which chooses none."""
    for choice in read_defaults().defaults:
        if group in choice:
            return str(choice[group])
    return list_files(group)[0]


def _list_leaves(key: str, override: Override) -> Iterator[tuple[str, Any]]:
    """Yield the keys that an override sets, with their values; several where it is written as `{key: value}`."""
    # A range and a glob have no values to look at, but a key.
    for value in _read_values(override) or [None]:
        yield from _walk_leaves(key, value)


def _walk_leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    known = list_keys().get(key)
    is_leaf = known is not None and not known.holds_keys
    if is_leaf or not isinstance(value, Mapping) or not value:
        yield key, value
        return
    for name, below in value.items():
        yield from _walk_leaves(f"{key}.{name}", below)


def _read_values(override: Override) -> list[Any]:
    """Return the value of an override, or each of those that it sweeps by name; none of a range and a glob."""
    value = override.value()
    if isinstance(value, ChoiceSweep):
        return [item.text if isinstance(item, QuotedString) else item for item in value.list]
    if isinstance(value, Sweep | Glob):
        return []
    return [value]
