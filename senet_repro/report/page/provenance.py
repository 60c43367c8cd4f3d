"""How a number was made: by which command, of which runs, on which machine (report floor)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from senet_repro.config.paper_tables import paper_tables
from senet_repro.results.record import Record

PROGRAM = "python -m senet_repro"

OF_ONE_SEED = ("seed", "results_dir")
"""Settings that belong to one seed or one machine; the command of all seeds is shown without them."""


def write_command(records: Sequence[Record]) -> str | None:
    """Return the command that trains one run again, over the seeds of its records.

    It takes several lines where one command would sweep the whole table. None where no record holds its command, as
    records of schema 1 do not.
    """
    record = _find_record_with_command(records)
    if record is None:
        return None
    overrides = _select_shared(record.overrides or [])
    seeds = sorted(each.seed for each in records)
    if len(seeds) > 1 and _names_swept_axes(record, overrides):
        return _join_command(["-m", *overrides], seeds)
    # With -m, a table selected without its axes would be swept; a command for each seed trains this run alone.
    commands = [_join_command(overrides, [seed]) for seed in seeds]
    return "\n".join(commands)


def describe_selection(record: Record) -> str:
    """Return the table and protocol of a run, as far as its record names them; for runs without a command."""
    known = []
    # Configurations of an altered or a very old record may lack either.
    table = record.config.get("table")
    if table:
        known.append(f"table {table}")
    protocol = record.config.get("protocol")
    if protocol:
        known.append(f"protocol {protocol['name']}")
    return ", ".join(known) or "table and protocol unknown"


def list_machines(records: Sequence[Record]) -> list[str]:
    """Return the distinct machines and libraries of some records, in the order of the records."""
    machines = []
    for record in records:
        machine = describe_machine(record)
        if machine not in machines:
            machines.append(machine)
    return machines


def describe_machine(record: Record) -> str:
    """Return the machine and the libraries of a record in a line."""
    hardware = dict(record.hardware)
    # Its name and kind come first and without a label, such as `NVIDIA H100 cuda`.
    device = []
    for label in ("name", "device"):
        if label in hardware:
            device.append(str(hardware.pop(label)))
    parts = []
    if device:
        parts = [" ".join(device)]
    parts += _label_values(hardware)
    libraries = _label_values(record.versions)
    return f"{', '.join(parts)}; {', '.join(libraries)}"


def _label_values(values: Mapping[str, object]) -> list[str]:
    """Return each value behind its name."""
    return [f"{name} {value}" for name, value in values.items()]


def _find_record_with_command(records: Sequence[Record]) -> Record | None:
    """Return the first record that holds the overrides of its command, if any does."""
    for record in records:
        if record.overrides is not None:
            return record
    return None


def _select_shared(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that all seeds of a run share, on any machine."""
    shared = []
    for override in overrides:
        if _name_setting(override) not in OF_ONE_SEED:
            shared.append(override)
    return shared


def _join_command(arguments: Sequence[str], seeds: Sequence[int]) -> str:
    """Return a command line, quoted for a shell."""
    seed_list = ",".join(map(str, seeds))
    line = shlex.join([*arguments, f"seed={seed_list}"])
    return f"{PROGRAM} {line}"


def _name_setting(override: str) -> str:
    """Return the setting that an override sets, such as `ablation` of `+ablation=squeeze`."""
    name, _, _ = override.lstrip("+~").partition("=")
    return name


def _names_swept_axes(record: Record, overrides: Sequence[str]) -> bool:
    """Return whether overrides give a value to every axis that the run's table would sweep with -m."""
    table = paper_tables().get(record.config.get("table") or "")
    if table is None:
        return True
    swept: set[str] = set()
    for row in table.rows.values():
        swept |= set(row.axes or {})
    named = {_name_setting(override) for override in overrides}
    return swept <= named
