"""Data of a YAML file as dataclasses of the schema, where each value has the very type (config floor; no torch).

OmegaConf does the same and more: it converts values, looks up interpolations, and explains what is wrong. It takes half
a second for the tables of the paper, though, whose files are hardly ever wrong.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")


class InexactError(Exception):
    """A value that is not of the type that the schema states; it may be one that OmegaConf converts."""


def build_exactly(kind: type[Kind], stated: Any) -> Kind:
    """Return a dataclass of the schema that holds what a file states.

    Raises:
        InexactError: a key is missing or unknown, or a value is of another type, or taken from elsewhere.
    """
    hints = _read_hints(cast(Hashable, kind))
    if not isinstance(stated, Mapping) or not stated.keys() <= hints.keys():
        raise InexactError(kind.__name__)
    values = {name: _read_value(value, hints[name]) for name, value in stated.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise InexactError(str(error)) from error


@cache
def _read_hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _read_value(value: Any, hint: Any) -> Any:
    """Return a value that is of the type that a field of the schema states."""
    if is_dataclass(hint) and isinstance(hint, type):
        return build_exactly(hint, value)
    if isinstance(hint, UnionType):
        return _read_optional(value, hint)
    if get_origin(hint) is list and type(value) is list:
        (item_hint,) = get_args(hint)
        return [_read_value(item, item_hint) for item in value]
    if get_origin(hint) is dict and type(value) is dict:
        return _read_dict(value, hint)
    # Of a number that may have decimals, YAML drops a decimal point that nothing follows.
    if hint is float and type(value) is int:
        return float(value)
    is_exact = type(value) is hint or (hint is Any and _is_plain(value))
    if not is_exact or _is_interpolation(value):
        raise InexactError(repr(value))
    return value


def _read_optional(value: Any, hint: UnionType) -> Any:
    if value is None:
        return None
    (inner,) = (part for part in get_args(hint) if part is not NoneType)
    return _read_value(value, inner)


def _read_dict(value: dict[Any, Any], hint: Any) -> dict[str, Any]:
    key_hint, item_hint = get_args(hint)
    return {_read_value(key, key_hint): _read_value(item, item_hint) for key, item in value.items()}


def _is_plain(value: Any) -> bool:
    """Return whether a value is what JSON has, and a list of such."""
    if type(value) is list:
        return all(_is_plain(item) and not _is_interpolation(item) for item in value)
    return value is None or type(value) in (str, int, float, bool)


def _is_interpolation(value: Any) -> bool:
    """Return whether a text is one that OmegaConf looks up, or misses."""
    return isinstance(value, str) and ("${" in value or value == "???")
