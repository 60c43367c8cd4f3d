"""How a number was made: by which command, of which runs, on which machine (report floor)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from senet_repro.config.paper_tables import paper_tables
from senet_repro.results.record import Record

PROGRAM = "python -m senet_repro"

OF_ONE_PROCESS = ("seed", "results_dir")
"""Settings that differ from seed to seed or from machine to machine; a command is shown without them."""


def write_command(records: Sequence[Record]) -> str | None:
    """Return the command that trains one run again, over the seeds of its records.

    It takes several lines where one command would sweep the whole table. None where no record holds its command, as
    records of schema 1 do not.
    """
    found = next((record for record in records if record.overrides is not None), None)
    if found is None or found.overrides is None:
        return None
    words = [word for word in found.overrides if _name_setting(word) not in OF_ONE_PROCESS]
    seeds = sorted(record.seed for record in records)
    if len(seeds) > 1 and _names_swept_axes(found, words):
        return _join_command(["-m", *words], seeds)
    # With -m, a table selected without its axes would be swept; a command for each seed trains this run alone.
    return "\n".join(_join_command(words, [seed]) for seed in seeds)


def describe_origin(record: Record) -> str:
    """Return what is known of a run whose record holds no command: its table and protocol."""
    table = record.config.get("table")
    protocol = (record.config.get("protocol") or {}).get("name")
    known = [f"{part} {name}" for part, name in (("table", table), ("protocol", protocol)) if name]
    return ", ".join(known) or "table and protocol unknown"


def list_machines(records: Sequence[Record]) -> list[str]:
    """Return the distinct machines and libraries of some records, in the order of the records."""
    return list(dict.fromkeys(describe_machine(record) for record in records))


def describe_machine(record: Record) -> str:
    """Return the machine and the libraries of a record in a line."""
    hardware = dict(record.hardware)
    device_parts = [str(hardware.pop(part)) for part in ("name", "device") if part in hardware]
    parts = [" ".join(device_parts)] if device_parts else []
    parts += [f"{name} {value}" for name, value in hardware.items()]
    libraries = [f"{name} {version}" for name, version in record.versions.items()]
    return f"{', '.join(parts)}; {', '.join(libraries)}"


def _join_command(words: Sequence[str], seeds: Sequence[int]) -> str:
    """Return a command line, quoted for a shell."""
    seed_list = ",".join(map(str, seeds))
    return f"{PROGRAM} {shlex.join([*words, f'seed={seed_list}'])}"


def _name_setting(override: str) -> str:
    """Return the setting that an override sets, such as `ablation` of `+ablation=squeeze`."""
    return override.lstrip("+~").partition("=")[0]


def _names_swept_axes(record: Record, overrides: Sequence[str]) -> bool:
    """Return whether overrides give a value to every axis that the run's table would sweep with -m."""
    table = paper_tables().get(record.config.get("table") or "")
    rows = table.rows.values() if table else []
    swept = {axis for row in rows for axis in row.axes or {}}
    return swept <= {_name_setting(override) for override in overrides}
