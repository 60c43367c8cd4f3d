"""The networks that the paper prints with and without SE, read from its tables (config floor; no torch)."""

from __future__ import annotations

from dataclasses import dataclass

from senet_repro.config.paper_tables import find_table
from senet_repro.config.schema import PaperTable, Row

COST_TABLES = ("imagenet", "mobile")
"""The tables whose networks cost enough to be measured: 2 and 3, all of them on ImageNet."""


@dataclass(frozen=True, kw_only=True)
class NetworkPair:
    """Two rows of a table that are one network with SE and without."""

    table: PaperTable
    network: str  # by our name, such as resnet50
    plain_name: str  # as the table prints it
    se_name: str

    @property
    def plain(self) -> Row:
        """Return the row without SE."""
        return self.table.rows[self.plain_name]

    @property
    def with_se(self) -> Row:
        """Return the row with SE."""
        return self.table.rows[self.se_name]


def list_network_pairs() -> dict[str, NetworkPair]:
    """Return every network of Tables 2 and 3 by our name, in the paper's order."""
    pairs = {}
    for name in COST_TABLES:
        table = find_table(name)
        for se_name, row in table.rows.items():
            plain_name = table.baseline_of(se_name)
            if plain_name is None or row.network is None:
                continue
            pairs[row.network] = NetworkPair(
                table=table, network=row.network, plain_name=plain_name, se_name=se_name
            )
    return pairs
