"""The range of a number, stated beside its field in the schema, and checked from there (config floor; no torch)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from senet_repro.core.errors import ConfigError

# The name under which a field's metadata hold its range.
_RANGE = "range"


@dataclass(frozen=True, kw_only=True)
class Range:
    """The numbers that a setting may take, or that each number of a list may take."""

    least: float
    greatest: float
    without_least: bool = False
    without_greatest: bool = False
    count: int | None = None  # how many numbers a list holds; None: it is one number, or any count
    is_rising: bool = False  # whether no number of the list is smaller than the one before it

    def holds(self, value: float) -> bool:
        """Return whether a number is in the range; what is no finite number never is."""
        if not math.isfinite(value):
            return False
        is_above = value > self.least if self.without_least else value >= self.least
        is_below = value < self.greatest if self.without_greatest else value <= self.greatest
        return is_above and is_below

    def holds_all(self, values: Sequence[float]) -> bool:
        """Return whether a list has the right length and order, and only numbers in the range."""
        if self.count is not None and len(values) != self.count:
            return False
        if self.is_rising and list(values) != sorted(values):
            return False
        return all(self.holds(value) for value in values)

    def describe(self) -> str:
        """Return the range as a sentence names it: `a number above 0 and at most 100`."""
        least = f"above {self.least:,}" if self.without_least else f"of at least {self.least:,}"
        greatest = (
            f"below {self.greatest:,}" if self.without_greatest else f"at most {self.greatest:,}"
        )
        if self.count is None:
            return f"a number {least} and {greatest}"
        order = ", none smaller than the one before it" if self.is_rising else ""
        return f"{self.count} numbers, each {least} and {greatest}{order}"


def from_to(least: float, greatest: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number from `least` to `greatest`, both included."""
    return {_RANGE: Range(least=least, greatest=greatest)}


def from_below(least: float, limit: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number from `least`, included, to below `limit`."""
    return {_RANGE: Range(least=least, greatest=limit, without_greatest=True)}


def above_to(limit: float, greatest: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number above `limit`, up to `greatest`, which is included."""
    return {_RANGE: Range(least=limit, greatest=greatest, without_least=True)}


def between(low: float, high: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number above `low` and below `high`."""
    limits = Range(least=low, greatest=high, without_least=True, without_greatest=True)
    return {_RANGE: limits}


def list_of(
    count: int, least: float, greatest: float, *, rising: bool = False
) -> Mapping[str, Range]:
    """Return a field's metadata: a list of `count` numbers from `least` to `greatest`, both included."""
    return {_RANGE: Range(least=least, greatest=greatest, count=count, is_rising=rising)}


def list_fields(node: Any, prefix: str = "") -> Iterator[tuple[str, Field[Any]]]:
    """Yield the fields of a dataclass of the schema and of those within it, each with its key: `recipe.lr`."""
    hints = get_type_hints(node)
    for entry in fields(node):
        yield prefix + entry.name, entry
        if is_dataclass(hints[entry.name]):
            yield from list_fields(hints[entry.name], f"{prefix}{entry.name}.")


def list_ranges(node: Any) -> Iterator[tuple[str, Range]]:
    """Yield the key and the range of each number of a dataclass of the schema and of those within it."""
    for key, entry in list_fields(node):
        if _RANGE in entry.metadata:
            yield key, entry.metadata[_RANGE]


def check_range(key: str, value: Any, limits: Range) -> None:
    """Accept a number, or a list of numbers, in its range; one that may be left out is not checked where it is.

    Raises:
        ConfigError: it is outside; the message names the range.
    """
    if value is None:
        return
    is_legal = limits.holds_all(value) if isinstance(value, list) else limits.holds(value)
    if not is_legal:
        raise ConfigError(f"{key}={value}: give {limits.describe()}")
