"""The tables of the paper, read from the ablation files that also sweep them (config floor; no torch)."""

from __future__ import annotations

from functools import lru_cache

from omegaconf import OmegaConf

from senet_repro.config.composition import CONF_DIR
from senet_repro.config.schema import ConfigError, PaperTable


@lru_cache(maxsize=1)
def paper_tables() -> dict[str, PaperTable]:
    """Every table by its name, in the paper's order; figures from its running text come last."""
    tables = [_load(path.stem) for path in (CONF_DIR / "ablation").glob("*.yaml")]
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


def label(table: PaperTable) -> str:
    """How the paper's reader finds a table: its number, or the section whose text gives the figures."""
    return f"Table {table.number}" if table.number else f"Section {table.section}"


def _load(name: str) -> PaperTable:
    config = OmegaConf.load(CONF_DIR / "ablation" / f"{name}.yaml")
    table = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(PaperTable), config.table))
    assert isinstance(table, PaperTable)
    return table
