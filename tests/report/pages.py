"""A results folder as runs leave it behind, and its page: what the tests of the report look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from senet_repro.config.paper_tables import find_table
from senet_repro.config.schema import PaperTable
from senet_repro.report.page.page import render_page
from senet_repro.report.page.sections import Section, build_sections
from senet_repro.report.tables.build import build_tables
from senet_repro.results.epochs import append_epoch
from senet_repro.results.record import Record, write_record
from senet_repro.results.store import load_results
from tests.records import make_record


def write_runs(folder: Path, records: Sequence[Record], metric: str = "top1_err_pct") -> None:
    """A folder per record, with two epochs of which the last is the record's."""
    for record in records:
        network = record.identity["model"]["name"]
        run = folder / f"{network}-{record.run_key[:8]}" / f"seed{record.seed}"
        run.mkdir(parents=True)
        last = record.metrics[metric]
        for epoch, value in ((1, last + 20.0 + record.seed), (2, last)):
            append_epoch(run, {"epoch": epoch, f"train_{metric}": value + 1.0, metric: value})
        write_record(run, record)


def make_trained_record(overrides: Sequence[str], *, seed: int, top1: float) -> Record:
    """A record that holds the command line that trained it."""
    record = make_record(overrides, seed=seed, top1=top1)
    return replace(record, overrides=[*overrides, f"seed={seed}"])


def squeeze_records() -> list[Record]:
    """Both rows of Table 11 on the digits, the second with a seed less."""
    errors = {"avg": (3.0, 3.5, 4.0), "max": (3.5, 4.5)}
    return [
        make_trained_record(["+ablation=squeeze", f"squeeze={squeeze}"], seed=seed, top1=top1)
        for squeeze, by_seed in errors.items()
        for seed, top1 in enumerate(by_seed)
    ]


def make_page(folder: Path, *wanted: str | PaperTable) -> tuple[list[Section], str]:
    """The sections and the page of some tables over a results folder."""
    results = load_results(folder)
    papers = [find_table(table) if isinstance(table, str) else table for table in wanted]
    sections = build_sections(results, build_tables(results, papers))
    return sections, render_page(results, sections, "runs")
