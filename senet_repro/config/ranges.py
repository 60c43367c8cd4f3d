"""The range of a number, stated beside its field in the schema (config floor; no torch)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# The name under which a field's metadata hold its range.
RANGE = "range"


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

    def describe(self, noun: str) -> str:
        """Return what the setting takes, with the noun for one number: `a number above 0 and at most 100`."""
        least = f"of at least {self.least:,}"
        if self.without_least:
            least = f"above {self.least:,}"
        greatest = f"at most {self.greatest:,}"
        if self.without_greatest:
            greatest = f"below {self.greatest:,}"
        if self.count is None:
            return f"a {noun} {least} and {greatest}"
        order = ""
        if self.is_rising:
            order = ", none smaller than the one before it"
        return f"a list of {self.count} {noun}s, each {least} and {greatest}{order}"


def from_to(least: float, greatest: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number from `least` to `greatest`, both included."""
    return {RANGE: Range(least=least, greatest=greatest)}


def from_below(least: float, limit: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number from `least`, included, to below `limit`."""
    return {RANGE: Range(least=least, greatest=limit, without_greatest=True)}


def above_to(limit: float, greatest: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number above `limit`, up to `greatest`, which is included."""
    return {RANGE: Range(least=limit, greatest=greatest, without_least=True)}


def between(low: float, high: float) -> Mapping[str, Range]:
    """Return a field's metadata: a number above `low` and below `high`."""
    limits = Range(least=low, greatest=high, without_least=True, without_greatest=True)
    return {RANGE: limits}


def list_of(
    count: int, least: float, greatest: float, *, rising: bool = False
) -> Mapping[str, Range]:
    """Return a field's metadata: a list of `count` numbers from `least` to `greatest`, both included."""
    return {RANGE: Range(least=least, greatest=greatest, count=count, is_rising=rising)}
