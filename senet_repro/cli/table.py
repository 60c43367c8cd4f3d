"""`python -m senet_repro table`: the paper's tables from the records there are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from senet_repro.config.tables import find_table, paper_tables, selection
from senet_repro.report.render import FORMATS
from senet_repro.report.tables import ResultTable, build_tables
from senet_repro.results.store import Results, load_results


def main(arguments: Sequence[str]) -> int:
    """Print every table that has records, or the one asked for."""
    parser = argparse.ArgumentParser(prog="python -m senet_repro table", description="The paper's figures beside ours.")
    parser.add_argument("--results", type=Path, default=Path("runs"), metavar="DIR", help="where the runs are (runs)")
    parser.add_argument(
        "--table", metavar="NAME", help="a number in the paper or a name, such as 10 or reduction_ratio"
    )
    parser.add_argument("--format", choices=FORMATS, default="markdown")
    options = parser.parse_args(arguments)
    papers = [find_table(options.table)] if options.table else list(paper_tables().values())
    results = load_results(options.results)
    tables = build_tables(results, papers)
    if tables or options.format != "markdown":
        print(FORMATS[options.format](tables))
    for line in _remarks(options, results, tables):
        # Markdown says them where the tables stand; CSV and JSON hold nothing but data.
        print(f"\n{line}" if tables else line, file=sys.stdout if options.format == "markdown" else sys.stderr)
    return 0


def _remarks(options: argparse.Namespace, results: Results, tables: Sequence[ResultTable]) -> Iterator[str]:
    """What a reader of the tables would otherwise miss."""
    if not tables:
        wanted = selection(find_table(options.table or "reduction_ratio"))
        yield f"no records in {options.results}; python -m senet_repro -m {wanted} makes them"
    told = {(row.run_key, seed) for table in tables for row in table.rows for seed in row.failed}
    yield from (f"failed: {reason}" for failure, reason in results.failures.items() if failure not in told)
    yield from (f"skipped {message}" for message in results.unreadable)
    if not options.table:
        shown = {(record.run_key, record.seed) for table in tables for row in table.rows for record in row.records}
        strays = [record for record in results.records if (record.run_key, record.seed) not in shown]
        if strays:
            names = ", ".join(sorted({record.name for record in strays}))
            yield f"no table has a row for {names}"
