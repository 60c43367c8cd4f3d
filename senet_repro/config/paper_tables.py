"""The tables of the paper, read from the files that also sweep them (config floor; no torch).

conf/ablation/ holds the tables that vary SE on one network (sections 6, 7.1 and 4), conf/experiment/ those that set
networks with and without SE side by side (sections 5 and the appendix), each by the data and recipe of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from senet_repro.config.composition import compose
from senet_repro.config.conf_dir import TABLE_GROUPS, list_files, load_file
from senet_repro.config.data_sets import read_set_facts
from senet_repro.config.exact_types import InexactError, build_exactly
from senet_repro.config.identity import build_identity
from senet_repro.config.schema import DETECTION, RUN_SOURCE, PaperTable, Row, Run
from senet_repro.config.table_checks import check_table
from senet_repro.core.choice import find_nearest
from senet_repro.core.errors import ConfigError

_AFTER_ALL_NUMBERS = 1000

NOT_OFFERED = {
    "1": "lists the layers of the networks, which `python -m senet_repro sizes` counts",
}
"""Why the paper's other tables are none here, by their numbers."""


@lru_cache(maxsize=1)
def paper_tables() -> dict[str, PaperTable]:
    """Return every table by its name, in the paper's order; figures from its running text come last."""
    tables = []
    for group in TABLE_GROUPS:
        for name in list_files(group):
            tables.append(_load_table(group, name))
    tables.sort(key=lambda table: table.number or _AFTER_ALL_NUMBERS)
    return {table.name: table for table in tables}


def find_table(wanted: str) -> PaperTable:
    """Return the table of a name or of a number in the paper.

    Raises:
        ConfigError: there is no such table; the message lists those there are.
    """
    for table in paper_tables().values():
        if wanted in (table.name, str(table.number)):
            return table
    known = [f"{table.number or '-'} {table.name}" for table in paper_tables().values()]
    message = f"no table '{wanted}'; there are {', '.join(known)}"
    near = find_nearest(wanted, paper_tables())
    if near:
        message += f"; did you mean {near}?"
    if wanted in NOT_OFFERED:
        message += f"; the paper's Table {wanted} {NOT_OFFERED[wanted]}"
    raise ConfigError(message)


def find_tables(wanted: Sequence[str] = ()) -> list[PaperTable]:
    """Return the tables of some names or numbers, each once and in their order, or every table where none is named.

    Raises:
        ConfigError: as `find_table`.
    """
    if not wanted:
        return list(paper_tables().values())
    found = {table.name: table for table in map(find_table, wanted)}
    return list(found.values())


def label_table(table: PaperTable) -> str:
    """Return how the paper's reader finds a table: by its number, or by the section whose text gives the figures.

    A table that is not the paper's has neither.
    """
    if table.number:
        return f"Table {table.number}"
    if table.section:
        return f"Section {table.section}"
    return "Own table"


def names_networks(table: PaperTable) -> bool:
    """Return whether the rows name their networks, as an experiment's do; an ablation's are of any network."""
    return any(row.network is not None for row in table.rows.values())


def format_selection(table: PaperTable) -> str:
    """Return the override that selects a table, such as `+ablation=squeeze`."""
    group = "experiment" if names_networks(table) else "ablation"
    return f"+{group}={table.name}"


def paper_run(table: PaperTable, row: Row) -> Run:
    """Return the run behind a row as the paper describes it: its network, data and recipe. The row has `axes`."""
    axes = {axis: value for axis, value in (row.axes or {}).items() if axis != "model"}
    return replace(_compose_base(table.name, row.network), **axes)


def paper_protocol(table: PaperTable, row: Row) -> dict[str, Any]:
    """Return the identity, without axes, of the run by which the paper got a row.

    Rows of one network share one object, which is to be read and not changed. Its part `se` is how SE blocks are
    written down (fc, bias), also for rows without SE.
    """
    return _build_protocol(table.name, row.network)


def count_eval_images(protocol: dict[str, Any]) -> int:
    """Return how many images the paper evaluates on under a protocol: all of the set's."""
    return read_set_facts(protocol["data"]["name"]).eval_images


@lru_cache
def compose_cached(*overrides: str) -> Run:
    """Return the run of some overrides, composed once; it is to be read and not changed."""
    return compose(overrides)


# Cached by names, since tables are not hashable.
@lru_cache
def _build_protocol(table_name: str, network: str | None) -> dict[str, Any]:
    run = _compose_base(table_name, network)
    protocol = {**build_identity(run), "se": asdict(run.se)}
    # A row of detection starts from the network of that row, trained on ImageNet, which a run of ours stands for.
    if run.task == DETECTION:
        protocol["init"] = {"source": RUN_SOURCE}
    return protocol


def _compose_base(table_name: str, network: str | None) -> Run:
    # Section 6 has one protocol, of ResNet-50 on ImageNet; the other tables bring their own for each network.
    if network is None:
        return compose_cached("protocol=imagenet")
    table = find_table(table_name)
    return compose_cached(format_selection(table), f"model={network}")


def _load_table(group: str, name: str) -> PaperTable:
    file = f"conf/{group}/{name}.yaml"
    stated = load_file(group, name).get("table")
    try:
        table = build_exactly(PaperTable, stated)
    except InexactError:
        table = _convert_table(stated, file)
    check_table(table, file)
    return table


def _convert_table(stated: Any, file: str) -> PaperTable:
    """Return the table that a file states in other types than the schema's, as far as they can be converted.

    Raises:
        ConfigError: a key is missing or unknown, or a value cannot be converted.
    """
    try:
        table = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(PaperTable), stated))
    except OmegaConfBaseException as error:
        # The first line names the key; the others are OmegaConf's own circumstances.
        raise ConfigError(f"{file}: {str(error).splitlines()[0]}") from error
    assert isinstance(table, PaperTable)
    return table
