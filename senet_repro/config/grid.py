"""The points of a sweep: every value of each key with every value of the others (config floor; no torch).

They are counted before the first is composed, so that a sweep which is far too large is refused at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from hydra.core.override_parser.types import Glob, IntervalSweep, Override, RangeSweep, Sweep

from senet_repro.config.conf_dir import TABLE_GROUPS, list_files, load_file
from senet_repro.config.overrides import parse_override
from senet_repro.core.errors import ConfigError

KeyOverrides = dict[str, Override]
"""The override of each key of a sweep, by the key with the + before it."""


def build_grid(
    overrides: Sequence[str], table_params: Mapping[str, str], most_points: Any
) -> list[list[str]]:
    """Return the overrides of each point of a sweep, a point's as a command line would have them.

    `overrides` are those of the command, `table_params` the values that its table's file sweeps, by key; of a command
    with several tables each is swept after the other.

    Raises:
        ConfigError: a key has no values, or there are more than `most_points` points.
    """
    if type(most_points) is not int or most_points < 1:
        raise ConfigError(f"hydra.sweeper.most_points={most_points}: give a number of at least 1")
    sweeps = [_merge_overrides(*part) for part in _split_tables(overrides, table_params)]
    _refuse_large_sweep(sweeps, most_points)
    points: list[list[str]] = []
    for sweep in sweeps:
        choices = [_list_overrides(override) for override in sweep.values()]
        points.extend(list(point) for point in itertools.product(*choices))
    return points


def read_table_params(overrides: Sequence[str]) -> Mapping[str, str]:
    """Return the values that the file of the one table among some overrides sweeps, by key.

    None are returned without a table, and where several are swept: `build_grid` reads the files of those itself.

    Raises:
        ConfigError: there is no such table.
    """
    for override in overrides:
        parsed = parse_override(override)
        if parsed.key_or_group in TABLE_GROUPS and not parsed.is_sweep_override():
            return _load_table_params(parsed.key_or_group, str(parsed.value()))
    return {}


def _split_tables(
    overrides: Sequence[str], table_params: Mapping[str, str]
) -> Iterator[tuple[Sequence[str], Mapping[str, str]]]:
    """Yield the overrides of each table that a command sweeps, and the values that the table's file sweeps.

    Raises:
        ConfigError: several tables are asked for, and there is none of them.
    """
    for number, override in enumerate(overrides):
        parsed = parse_override(override)
        group = parsed.key_or_group
        if group in TABLE_GROUPS and parsed.is_sweep_override():
            # Hydra reads no file of a group that is swept.
            _count_values(parsed)
            for name in _list_values(parsed):
                params = _load_table_params(group, name)
                chosen = f"{parsed.get_key_element()}={name}"
                yield [*overrides[:number], chosen, *overrides[number + 1 :]], params
            return
    yield overrides, table_params


def _load_table_params(group: str, name: str) -> Mapping[str, str]:
    """Return the values that a table's file sweeps, by key.

    Raises:
        ConfigError: there is no such table.
    """
    names = list_files(group)
    if name not in names:
        raise ConfigError(f"there is no {group} '{name}'; there are {', '.join(names)}")
    params: Mapping[str, str] = load_file(group, name)["hydra"]["sweeper"]["params"]
    return params


def _merge_overrides(overrides: Sequence[str], table_params: Mapping[str, str]) -> KeyOverrides:
    """Return what a sweep gives to each key: the command's values where it has some, otherwise the table's."""
    swept_by_table = [f"{key}={values}" for key, values in table_params.items()]
    merged: KeyOverrides = {}
    for override in (*swept_by_table, *overrides):
        parsed = parse_override(override)
        merged[parsed.get_key_element()] = parsed
    return merged


def _refuse_large_sweep(sweeps: Sequence[KeyOverrides], most_points: int) -> None:
    """Accept a sweep that has points, and not too many.

    Raises:
        ConfigError: it has none, or more than `most_points`.
    """
    total = 0
    largest, largest_count = "", 0
    for sweep in sweeps:
        counts = {str(each.input_line): _count_values(each) for each in sweep.values()}
        total += math.prod(counts.values())
        for override, count in counts.items():
            if count > largest_count:
                largest, largest_count = override, count
    if total > most_points:
        raise ConfigError(
            f"{largest}: the sweep has {total:,} points, and {most_points:,} is the most; "
            f"give fewer values, or hydra.sweeper.most_points={total}"
        )


def _count_values(override: Override) -> int:
    """Return how many values an override gives its key, without listing them.

    Raises:
        ConfigError: it gives none, or their number cannot be told.
    """
    if not override.is_sweep_override():
        return 1
    # Hydra leaves Glob out of the types that it states.
    sweep: Any = override.value()
    if isinstance(sweep, IntervalSweep):
        raise ConfigError(
            f"{override.input_line}: an interval has no end of values; give some, as in 0,1,2"
        )
    count = _count_range(override, sweep) if isinstance(sweep, RangeSweep) else None
    if count is None:
        count = len(_list_values(override))
    if count == 0:
        mend = f"give values, as in {override.get_key_element()}=A,B"
        if isinstance(sweep, Glob):
            mend = _explain_glob(override)
        raise ConfigError(f"{override.input_line} sweeps nothing: {mend}")
    return count


def _explain_glob(override: Override) -> str:
    """Return among which names a glob looks."""
    files = list_files(override.key_or_group)
    if files:
        return f"there are {', '.join(files)}"
    return "glob looks among the files of a group, as in model=glob(resnet*)"


def _count_range(override: Override, sweep: RangeSweep) -> int:
    """Return how many values a range has.

    Raises:
        ConfigError: it has no end.
    """
    assert sweep.start is not None
    assert sweep.stop is not None
    try:
        length = Fraction(sweep.stop) - Fraction(sweep.start)
        steps = length / Fraction(sweep.step)
    except (ArithmeticError, ValueError) as error:
        raise ConfigError(
            f"{override.input_line}: give numbers and a step other than 0, as in range(0,3)"
        ) from error
    return max(0, math.ceil(steps))


def _list_values(override: Override) -> list[str]:
    """Return the values that an override sweeps, each as a command line would have it.

    Raises:
        ConfigError: one of them is a sweep of its own.
    """
    # Hydra leaves Glob out of the types that it states.
    sweep: Any = override.value()
    if isinstance(sweep, Glob):
        names: list[str] = sweep.filter(list_files(override.key_or_group))
        return names
    elements = getattr(sweep, "list", ())
    if any(isinstance(element, Sweep | Glob) for element in elements):
        raise ConfigError(
            f"{override.input_line}: give values, or one range, and not one among the other"
        )
    return list(override.sweep_string_iterator())


def _list_overrides(override: Override) -> list[str]:
    """Return the overrides that points have of a key, one for each of its values."""
    if not override.is_sweep_override():
        return [str(override.input_line)]
    return [f"{override.get_key_element()}={value}" for value in _list_values(override)]
