"""The distinct runs behind the numbered ablation tables (benchmarks floor; no torch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_key
from senet_repro.config.paper_tables import names_networks, paper_tables


def list_table_runs(base: Sequence[str]) -> Iterator[list[str]]:
    """Yield the overrides of each run that one seed of the seven tables trains: seventeen.

    `base` is what all runs share, such as protocol=cifar10. A point that several tables have comes once.
    """
    shared = compose(base)
    keys: set[str] = set()
    for table in paper_tables().values():
        if table.number is None or names_networks(table):
            continue
        for row in table.rows.values():
            if row.axes is None:
                continue
            # Composing each point would take seconds.
            key = run_key(replace(shared, **row.axes))
            if key not in keys:
                keys.add(key)
                # A list of stages has no spaces on a command line.
                axes = [f"{axis}={value}".replace(" ", "") for axis, value in row.axes.items()]
                yield [*base, *axes]
