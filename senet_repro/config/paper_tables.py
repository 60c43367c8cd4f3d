"""The tables of the paper, read from the files that also sweep them (config floor; no torch).

conf/ablation/ holds what varies SE on one network (sections 6, 7.1 and 4), conf/experiment/ what sets networks with and
without SE side by side (sections 5 and the appendix), each by the data and recipe of its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from omegaconf import OmegaConf

from senet_repro.config.composition import compose
from senet_repro.config.conf_dir import list_files, load_file
from senet_repro.config.schema import PaperTable, Row, Run
from senet_repro.core.errors import ConfigError

GROUPS = ("ablation", "experiment")


@lru_cache(maxsize=1)
def paper_tables() -> dict[str, PaperTable]:
    """Every table by its name, in the paper's order; figures from its running text come last."""
    tables = [_load(group, name) for group in GROUPS for name in list_files(group)]
    return {table.name: table for table in sorted(tables, key=lambda table: table.number or 1000)}


def find_table(wanted: str) -> PaperTable:
    """The table of a name or of a number in the paper.

    Raises:
        ConfigError: there is no such table; the message lists those there are.
    """
    for table in paper_tables().values():
        if wanted in (table.name, str(table.number)):
            return table
    known = ", ".join(f"{table.number or '-'} {table.name}" for table in paper_tables().values())
    raise ConfigError(f"no table '{wanted}'; there are {known}")


def find_tables(wanted: str | None) -> list[PaperTable]:
    """The table of a name or number, or every one; as `find_table`."""
    return [find_table(wanted)] if wanted else list(paper_tables().values())


def label(table: PaperTable) -> str:
    """How the paper's reader finds a table: its number, or the section whose text gives the figures."""
    return f"Table {table.number}" if table.number else f"Section {table.section}"


def names_networks(table: PaperTable) -> bool:
    """Whether the rows name their networks, as an experiment's do, or are of any network, as an ablation's are."""
    return any("model" in (row.axes or {}) for row in table.rows.values())


def selection(table: PaperTable) -> str:
    """The override that selects a table, such as `+ablation=squeeze`."""
    return f"+{'experiment' if names_networks(table) else 'ablation'}={table.name}"


def paper_run(table: PaperTable, row: Row) -> Run:
    """The run behind a row as the paper describes it: its network, data and recipe. The row has `axes`."""
    axes = dict(row.axes or {})
    model = axes.pop("model", None)
    # Section 6 has one protocol; the other tables name theirs.
    base = composed(selection(table), f"model={model}") if model else composed("protocol=imagenet")
    return replace(base, **axes)


@lru_cache
def composed(*overrides: str) -> Run:
    """What `compose` gives, composed once; to be read and not changed."""
    return compose(overrides)


def _load(group: str, name: str) -> PaperTable:
    stated = load_file(group, name).table
    table = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(PaperTable), stated))
    assert isinstance(table, PaperTable)
    return table
