"""The pairs of rows that a claim rests on, and what else differs between them (report floor)."""

from __future__ import annotations

from collections.abc import Iterable

from senet_repro.report.claims.confounds import find_confounds
from senet_repro.report.claims.cost import Cost
from senet_repro.report.claims.kinds import ClaimKind, read_claim
from senet_repro.report.claims.pairs import Pair, find_row, find_rows, list_gain_rows
from senet_repro.report.tables.build import ResultTable


def pair_rows(table: ResultTable, kind: ClaimKind) -> list[Pair]:
    """Return the pairs of rows that a claim compares; none for sizes, which are counted."""
    if isinstance(kind, Cost):
        return []
    rows = find_rows(table, kind.claim)
    return [Pair(first, second) for first, second in kind.pair_rows(rows)]


def list_claim_confounds(table: ResultTable, kind: ClaimKind) -> list[str]:
    """Return what else differs between the rows that a claim rests on: device, commit, versions and the like."""
    return _find_confounds(_list_pairs(table, kind))


def list_confounds(table: ResultTable) -> list[str]:
    """Return the same of all claims of a table, each once."""
    pairs = []
    for claim in table.paper.claims:
        pairs += _list_pairs(table, read_claim(table.paper, claim))
    return _find_confounds(pairs)


def _list_pairs(table: ResultTable, kind: ClaimKind) -> list[Pair]:
    """Return the pairs that a claim compares, and the one whose gain gives their margin, where there is one."""
    pairs = pair_rows(table, kind)
    gain_rows = [find_row(table, name) for name in list_gain_rows(table, kind.claim)]
    if gain_rows:
        with_se, without = gain_rows
        pairs.append(Pair(with_se, without))
    return pairs


def _find_confounds(pairs: Iterable[Pair]) -> list[str]:
    return find_confounds((pair.first, pair.second) for pair in pairs)
