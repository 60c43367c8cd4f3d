"""The distinct runs behind the numbered ablation tables (benchmarks floor; no torch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from senet_repro.config.composition import compose
from senet_repro.config.grid import build_grid, read_table_params
from senet_repro.config.identity import run_key
from senet_repro.config.paper_tables import format_selection, names_networks, paper_tables

MOST_POINTS = 1000


def list_table_runs(base: Sequence[str]) -> Iterator[list[str]]:
    """Yield the overrides of each run that one seed of the seven tables trains: seventeen.

    `base` is what all runs share, such as protocol=cifar10. A point that several tables have comes once.
    """
    keys: set[str] = set()
    for table in paper_tables().values():
        if table.number is None or names_networks(table):
            continue
        selection = format_selection(table)
        grid = build_grid([selection, *base], read_table_params([selection]), MOST_POINTS)
        for point in grid:
            key = run_key(compose(point))
            if key not in keys:
                keys.add(key)
                yield point
