"""`python -m senet_repro table`: the paper's tables from the records there are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import (
    add_format_option,
    add_origin_option,
    add_results_option,
    add_table_option,
    parse_path,
    require_results,
)
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_line, print_text
from senet_repro.core.wording import count_noun

if TYPE_CHECKING:
    from senet_repro.config.schema import PaperTable
    from senet_repro.report.tables.build import ResultTable
    from senet_repro.report.tables.costs import CostTable
    from senet_repro.report.tables.rescored import RescoredTable
    from senet_repro.report.text.formats import Format
    from senet_repro.results.store import Results

DESCRIPTION = "The paper's figures beside ours."
DOING = "building the tables"
FORMAT_NAMES = ("markdown", "csv", "json", "latex")
"""The names of report.text.formats.FORMATS, which take long to import."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    add_origin_option(parser)
    add_format_option(parser, FORMAT_NAMES)
    parser.add_argument(
        "--output",
        type=parse_path,
        metavar="DIR",
        help="write each table into a file there, and index.md that lists them",
    )
    parser.add_argument(
        "--allow-mixed",
        action="store_true",
        help="let records that differ in nothing but their code version share a table, which says so",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Print every table that has records, or the one asked for, or write each into a file of its own.

    Raises:
        ConfigError: there is no such table, no such results folder, or the folder for the files cannot be written to.
    """
    from senet_repro.config.paper_tables import find_tables
    from senet_repro.report.tables.build import build_tables
    from senet_repro.report.tables.costs import load_cost_tables
    from senet_repro.report.tables.load import load_printable_results
    from senet_repro.report.tables.rescored import find_rescored_tables
    from senet_repro.report.text.formats import FORMATS
    from senet_repro.results.evaluation import load_evaluations
    from senet_repro.results.store import pause_collection

    chosen = FORMATS[options.format]
    papers = find_tables(options.table)
    results_dir = require_results(options.results)
    with pause_collection():
        results = load_printable_results(results_dir, only_ours=options.ours)
        tables = build_tables(results, papers, options.allow_mixed)
        evaluations, problems = load_evaluations(results_dir)
        # Costs belong to no table that could be asked for.
        costs, unread = ([], []) if options.table else load_cost_tables(results_dir)
        results.unreadable.extend([*problems, *unread])
        rescored = find_rescored_tables(evaluations, papers)
        remarks = list(_collect_remarks(options, results, tables, rescored, costs))
        if options.output:
            _write_files(options.output, tables, chosen, remarks, rescored, costs)
        elif tables or rescored or costs or not chosen.has_remarks:
            print_text(chosen.text(tables, rescored, costs))
    # Markdown has room for the remarks among the tables; the other formats hold nothing but data.
    is_among_tables = chosen.has_remarks or options.output
    stream = sys.stdout if is_among_tables else sys.stderr
    for remark in remarks:
        # A blank line parts each from the tables.
        if tables or rescored or costs:
            print(file=stream)
        print_line(remark, file=stream)
    return 0


def _write_files(
    folder: Path,
    tables: Sequence[ResultTable],
    chosen: Format,
    remarks: Sequence[str],
    rescored: Sequence[RescoredTable],
    costs: Sequence[CostTable],
) -> None:
    """Write each table into a file of `folder`, and print where their index is.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    from senet_repro.report.text.formats import write_tables

    try:
        index = write_tables(folder, tables, chosen, remarks, rescored, costs)
    except OSError as error:
        raise ConfigError(
            f"--output {folder}: {error.strerror}; give a folder to write to"
        ) from error
    print(f"{count_noun(len(tables) + len(rescored) + len(costs), 'table')}: {index}")


def _collect_remarks(
    options: argparse.Namespace,
    results: Results,
    tables: Sequence[ResultTable],
    rescored: Sequence[RescoredTable],
    costs: Sequence[CostTable],
) -> Iterator[str]:
    """Yield a line for everything in the folder that the tables do not show."""
    from senet_repro.config.paper_tables import format_selection, label_table

    missing = _list_missing(options.table, [*tables, *rescored])
    # Where costs alone were measured, no table is missed.
    for paper in [] if costs and not options.table else missing:
        command = f"python -m senet_repro -m {format_selection(paper)}"
        yield f"no records in {options.results} for {label_table(paper)}; {command} makes them"
    shown_failures = {
        (row.run_key, seed) for table in tables for row in table.rows for seed in row.failed
    }
    for failure, reason in results.failures.items():
        if failure not in shown_failures:
            yield f"failed: {reason}"
    for message in results.unreadable:
        yield f"skipped {message}"
    # Where one table is asked for, the records of the others are not missed.
    if not options.table:
        strays = _find_strays(results, tables)
        if strays:
            yield f"no table has a row for {', '.join(strays)}"


def _list_missing(
    wanted: Sequence[str], tables: Sequence[ResultTable | RescoredTable]
) -> list[PaperTable]:
    """Return the tables asked for that have no record; where none is asked for and there is none at all, an example."""
    from senet_repro.config.paper_tables import find_table, find_tables

    present = {table.paper.name for table in tables}
    if not wanted:
        return [] if present else [find_table("reduction_ratio")]
    return [paper for paper in find_tables(wanted) if paper.name not in present]


def _find_strays(results: Results, tables: Sequence[ResultTable]) -> list[str]:
    """Return the names of the records that no table has a row for."""
    # By identity of the objects: comparing thousands of records by value would take seconds.
    shown: set[int] = set()
    for table in tables:
        shown.update(id(record) for record in table.superseded)
        for row in table.rows:
            shown.update(id(record) for record in row.records)
    return sorted({record.name for record in results.records if id(record) not in shown})
