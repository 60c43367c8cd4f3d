"""Records of two sides whose errors are known, and what a comparison makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from senet_repro.report.claims.moves import ComparedSides, compare_rows
from senet_repro.report.tables.compared import match_rows
from senet_repro.results.record import Record
from tests.records import make_record

Errors = dict[int, Sequence[float]]
"""The errors of seeds 0, 1, ... in percent, by the r of their row."""

IMAGES = 10_000
LATER = "2027-01-01T00:00:00+00:00"


@cache
def make_blank(r: int) -> Record:
    return make_record([f"r={r}"], seed=0, top1=0.0, eval_images=IMAGES)


def make_records(errors: Errors, **fields: Any) -> list[Record]:
    records = []
    for r, values in errors.items():
        for seed, error in enumerate(values):
            metrics = {"loss": error / 100, "top1_err_pct": error, "top5_err_pct": 0.5}
            records.append(replace(make_blank(r), seed=seed, metrics=metrics, **fields))
    return records


def compare(first: Errors, second: Errors) -> ComparedSides:
    ours = make_records(first)
    return compare_rows(match_rows(ours, make_records(second, finished_at=LATER)))
