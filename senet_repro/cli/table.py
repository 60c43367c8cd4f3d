"""`python -m senet_repro table`: the paper's tables from the records there are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_table, find_tables, selection
from senet_repro.core.errors import ConfigError
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.text.formats import FORMATS, write_tables
from senet_repro.results.store import Results, load_results, pause_collection


def main(arguments: Sequence[str]) -> int:
    """Print every table that has records, or the one asked for, or write each into a file of its own.

    Raises:
        ConfigError: there is no such table, or the folder for the files cannot be written to.
    """
    options = _parser().parse_args(arguments)
    form = FORMATS[options.format]
    with pause_collection():
        papers = find_tables(options.table)
        results = load_results(options.results)
        tables = build_tables(results, papers, options.allow_mixed)
        remarks = list(_remarks(options, results, tables))
        if options.output:
            try:
                index = write_tables(options.output, tables, form, remarks)
            except OSError as error:
                raise ConfigError(
                    f"--output {options.output}: {error.strerror}; give a folder to write to"
                ) from error
            print(f"{len(tables)} table{'' if len(tables) == 1 else 's'}: {index}")
        elif tables or not form.has_remarks:
            print(form.text(tables))
    for line in remarks:
        # Markdown says them where the tables stand; the others hold nothing but data.
        is_beside = form.has_remarks or options.output
        print(f"\n{line}" if tables else line, file=sys.stdout if is_beside else sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro table", description="The paper's figures beside ours."
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where the runs are (runs)",
    )
    parser.add_argument(
        "--table",
        metavar="NAME",
        help="a number in the paper or a name, such as 10 or reduction_ratio",
    )
    parser.add_argument("--format", choices=FORMATS, default="markdown")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="write each table into a file there, and index.md that lists them",
    )
    parser.add_argument(
        "--allow-mixed",
        action="store_true",
        help="let records that differ in nothing but their code version share a table, which says so",
    )
    return parser


def _remarks(
    options: argparse.Namespace, results: Results, tables: Sequence[ResultTable]
) -> Iterator[str]:
    """What a reader of the tables would otherwise miss."""
    if not tables:
        wanted = selection(find_table(options.table or "reduction_ratio"))
        yield f"no records in {options.results}; python -m senet_repro -m {wanted} makes them"
    told = {(row.run_key, seed) for table in tables for row in table.rows for seed in row.failed}
    yield from (
        f"failed: {reason}" for failure, reason in results.failures.items() if failure not in told
    )
    yield from (f"skipped {message}" for message in results.unreadable)
    if not options.table:
        shown = {id(record) for table in tables for row in table.rows for record in row.records}
        shown |= {id(record) for table in tables for record in table.superseded}
        strays = sorted({record.name for record in results.records if id(record) not in shown})
        if strays:
            yield f"no table has a row for {', '.join(strays)}"
