"""How a number was made: the command that makes it again, and where it was made (report floor)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from senet_repro.config.identity import AXES, build_identity, run_key
from senet_repro.config.paper_tables import (
    compose_cached,
    format_selection,
    names_networks,
    paper_tables,
)
from senet_repro.config.schema import MODEL_OPTIONS, Run
from senet_repro.core.errors import ConfigError
from senet_repro.results.record import Record

PROGRAM = "python -m senet_repro"
_ABSENT = object()


def command(records: Sequence[Record]) -> str | None:
    """The command that trains these records of one run again, over their seeds; none if this version has none."""
    overrides = _overrides(records[0])
    if overrides is None:
        return None
    seeds = sorted(record.seed for record in records)
    words = [*overrides, f"seed={','.join(map(str, seeds))}"]
    return " ".join([PROGRAM, *(["-m"] if len(seeds) > 1 else []), *map(shlex.quote, words)])


def environments(records: Sequence[Record]) -> list[str]:
    """The distinct machines and libraries of some records, in a line each."""
    return list(dict.fromkeys(environment(record) for record in records))


def environment(record: Record) -> str:
    """Machine and libraries of a record in a line."""
    hardware = dict(record.hardware)
    device = " ".join(str(hardware.pop(part)) for part in ("name", "device") if part in hardware)
    said = [device, *(f"{name} {value}" for name, value in hardware.items())]
    return f"{', '.join(part for part in said if part)}; " + ", ".join(
        f"{k} {v}" for k, v in record.versions.items()
    )


def _overrides(record: Record) -> list[str] | None:
    """The overrides of a record: its groups by composing, the rest by comparison, the whole held to its key."""
    config = record.config
    try:
        groups = _groups(config)
        run = compose_cached(*groups)
        settings = dict(_axes(config, run))
        settings.update(_rest(record, _with(run, settings, config)))
        if run_key(_with(run, settings, config)) != record.run_key:
            return None
    except (
        AttributeError,
        ConfigError,
        KeyError,
        TypeError,
    ):  # an older or altered record names what is no more
        return None
    root = _at(config, "data.root")
    if root not in (_ABSENT, None):
        settings["data.root"] = root
    return [*groups, *(f"{name}={_text(value)}" for name, value in settings.items())]


def _groups(config: Mapping[str, Any]) -> list[str]:
    """The table, protocol, network, data and recipe of a configuration, as far as none implies another."""
    table = paper_tables().get(config.get("table") or "")
    said = [format_selection(table)] if table else []
    # An experiment names data and recipe itself, by its network.
    of_networks = table is not None and names_networks(table)
    said.append(
        f"model={config['model']['name']}"
        if of_networks
        else f"protocol={config['protocol']['name']}"
    )
    run = compose_cached(*said)
    return said + [
        f"{group}={config[group]['name']}"
        for group in ("model", "data", "recipe")
        if config[group]["name"] != getattr(run, group).name
    ]


def _axes(config: Mapping[str, Any], run: Run) -> Iterator[tuple[str, Any]]:
    # What a table sweeps is always said, or else -m would sweep it; one of networks sweeps the stages.
    rows = run.table.rows.values() if run.table else []
    swept = {"stages" if axis == "model" else axis for row in rows for axis in row.axes or {}}
    for axis in AXES:
        if config[axis] != getattr(run, axis) or axis in swept:
            yield axis, config[axis]


def _rest(record: Record, run: Run) -> Iterator[tuple[str, Any]]:
    """What else decides the numbers and differs from what the groups say."""
    ours, theirs = dict(_leaves(record.identity)), dict(_leaves(build_identity(run)))
    for key in dict.fromkeys((*ours, *theirs)):
        if ours.get(key, _ABSENT) == theirs.get(key, _ABSENT):
            continue
        if key not in ours and key.startswith("recipe.schedule."):
            continue  # a schedule of another kind goes without it
        name = _setting(key)
        value = _at(record.config, name) if name else _ABSENT
        if name and value is not _ABSENT:
            yield name, value


def _with(run: Run, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Run:
    """A run with other settings, as its overrides would compose it, and in a hundredth of the time."""
    run = deepcopy(run)
    for name, value in settings.items():
        *path, leaf = name.split(".")
        node: Any = run
        for part in path:
            node = getattr(node, part)
        if isinstance(node, dict):
            node[leaf] = value
        else:
            setattr(node, leaf, value)
    if run.init.weights is not None:
        run.init.sha256 = _at(config, "init.sha256")
    return run


def _setting(key: str) -> str | None:
    """The setting behind a key of the canonical form."""
    part, _, leaf = key.partition(".")
    if part == "model" and leaf in MODEL_OPTIONS:
        return f"model.options.{leaf}"
    if part == "init":
        return {"sha256": "init.weights"}.get(leaf, key)
    if key == "precision":
        return "trainer.precision"
    return key if part in ("data", "recipe") or key in ("se.fc", "se.bias") else None


def _leaves(form: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in form.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _at(config: Mapping[str, Any], dotted: str) -> Any:
    node: Any = config
    for part in dotted.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return _ABSENT
        node = node[part]
    return node


def _text(value: Any) -> str:
    """A value as an override writes it."""
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)
