"""A results folder as runs leave it behind, and its page: what the tests of the report look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_table
from senet_repro.config.schema import PaperTable
from senet_repro.report.page.page import Section, page, sections
from senet_repro.report.tables.build import build_tables
from senet_repro.results.epochs import append_epoch
from senet_repro.results.record import Record, write_record
from senet_repro.results.store import load_results
from tests.records import make_record


def write_runs(folder: Path, records: Sequence[Record]) -> None:
    """A folder per record, with two epochs of which the last is the record's."""
    for record in records:
        run = (
            folder
            / f"{record.identity['model']['name']}-{record.run_key[:8]}"
            / f"seed{record.seed}"
        )
        run.mkdir(parents=True)
        top1 = record.metrics["top1_err_pct"]
        for epoch, err in ((1, top1 + 20.0 + record.seed), (2, top1)):
            append_epoch(
                run, {"epoch": epoch, "train_top1_err_pct": err + 1.0, "top1_err_pct": err}
            )
        write_record(run, record)


def squeeze_records() -> list[Record]:
    """Both rows of Table 11 on the digits, the second with a seed less."""
    return [
        *(
            make_record(["squeeze=avg"], seed=seed, top1=top1)
            for seed, top1 in enumerate((3.0, 3.5, 4.0))
        ),
        *(
            make_record(["squeeze=max"], seed=seed, top1=top1)
            for seed, top1 in enumerate((3.5, 4.5))
        ),
    ]


def make_page(folder: Path, *wanted: str | PaperTable) -> tuple[list[Section], str]:
    """The sections and the page of some tables over a results folder."""
    results = load_results(folder)
    papers = [find_table(table) if isinstance(table, str) else table for table in wanted]
    found = sections(results, build_tables(results, papers))
    return found, page(results, found, "runs")
