"""Simulated campaigns judged as real ones are: records of a table whose true errors are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from senet_repro.config.paper_tables import find_table
from senet_repro.report.claims.judge import Judged, judge
from senet_repro.report.claims.words import CONTRADICTED, REPRODUCED, SMALLER
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.results.record import Record
from senet_repro.results.store import Results
from tests.records import row_records

DECISIVE = (REPRODUCED, SMALLER, CONTRADICTED)
"""Verdicts that are wrong where rows do not differ."""

RUN_SD_PCT = 0.2
"""How far the errors of one row's runs lie apart, in points."""


@cache
def list_blank_records(name: str, seeds: int) -> dict[str, list[Record]]:
    """Return a record of each row of a table and seed, whose error is yet to be filled in."""
    table = find_table(name)
    rows = {**table.rows, **table.beside}
    offered = [row for row in rows if rows[row].axes is not None]
    return {row: row_records(table, row, [0.0] * seeds) for row in offered}


def draw_records(
    rng: np.random.Generator,
    name: str,
    seeds: int,
    *,
    gain: float = 0.0,
    plan: dict[str, Any] | None = None,
) -> list[Record]:
    """Return records of a campaign in which rows with SE are better by a gain, in points; else all are alike."""
    records = []
    for blanks in list_blank_records(name, seeds).values():
        axes = blanks[0].axes
        for blank in blanks:
            error = rng.normal(6.0 - (gain if axes is not None else 0.0), RUN_SD_PCT)
            # Errors are counts of images.
            counted = round(error * blank.eval_images / 100) * 100 / blank.eval_images
            metrics = {"loss": 0.1, "top1_err_pct": counted, "top5_err_pct": counted}
            records.append(replace(blank, metrics=metrics, plan=plan))
    return records


def build_table(name: str, records: Sequence[Record]) -> ResultTable:
    """Return the one table that these records make."""
    (table,) = build_tables(Results(list(records)), [find_table(name)])
    return table


def judge_records(name: str, records: Sequence[Record]) -> list[Judged]:
    """Return the verdicts that these records give on the claims of their table."""
    return judge(build_table(name, records))


def pick_seeds(records: Sequence[Record], kept: Sequence[int]) -> list[Record]:
    """Return the records that are left where those of the other seeds were deleted."""
    return [record for record in records if record.seed in kept]


def find_rates(
    name: str, seeds: int, draws: int, *, gain: float = 0.0, seed: int = 0
) -> dict[str, float]:
    """Return how often any claim of a table has each verdict, and, after "one ", how often a single claim has."""
    rng = np.random.default_rng(seed)
    counts: dict[str, float] = {}
    for _ in range(draws):
        judged = judge_records(name, draw_records(rng, name, seeds, gain=gain))
        verdicts = [one.verdict for one in judged if one.n > 0]
        for verdict in set(verdicts):
            counts[verdict] = counts.get(verdict, 0.0) + 1 / draws
        decisive = [verdict for verdict in verdicts if verdict in DECISIVE]
        counts["any decisive"] = counts.get("any decisive", 0.0) + bool(decisive) / draws
        for verdict in verdicts:
            key = f"one {verdict}"
            counts[key] = counts.get(key, 0.0) + 1 / draws / len(verdicts)
    return counts
