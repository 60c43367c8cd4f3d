"""`python -m senet_repro compare`: whether the numbers of two results folders, or commits, are the same."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import (
    add_format_option,
    add_output_file_option,
    add_table_option,
    parse_path,
    print_or_write,
)
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_skipped
from senet_repro.core.wording import join_words

if TYPE_CHECKING:
    from senet_repro.config.schema import PaperTable
    from senet_repro.report.claims.moves import ComparedSides
    from senet_repro.report.text.comparison import SideName
    from senet_repro.results.store import Results

DESCRIPTION = (
    "Whether two folders or commits have the same numbers. Rows are matched, runs paired by seed, and each row is "
    "equal, within noise or different. Exit code 1: one is different."
)
DOING = "comparing the runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    for side in ("A", "B"):
        parser.add_argument(
            side.lower(),
            metavar=side,
            help="a results folder, or a commit: REV, or REV:FOLDER such as HEAD:experiments/demo",
        )
    parser.add_argument(
        "--results",
        type=parse_path,
        default=Path("runs"),
        metavar="DIR",
        help="the folder that is read of a commit which names none (runs)",
    )
    add_table_option(parser)
    add_format_option(parser, ("markdown", "json"))
    add_output_file_option(parser)


def run_verb(options: argparse.Namespace) -> int:
    """Print the two sides row by row, and what else differs between them; return 1 if a row is different.

    Raises:
        ConfigError: a side is neither a folder nor a commit, or has no records, or the two have no run in common, or
            the file of `--output` cannot be written.
    """
    from senet_repro.cli.compared_side import open_side
    from senet_repro.config.paper_tables import find_tables
    from senet_repro.report.claims.moves import DIFFERENT
    from senet_repro.report.text.comparison import format_comparison, format_comparison_json
    from senet_repro.results.store import pause_collection

    papers = find_tables(options.table) if options.table else []
    with ExitStack() as stack:
        stack.enter_context(pause_collection())
        # Outcomes are read while rows are compared, so that both sides stay open.
        sides = [
            stack.enter_context(open_side(word, options.results)) for word in (options.a, options.b)
        ]
        names = [name for name, _ in sides]
        compared = _compare_sides(names, [results for _, results in sides], papers)
    is_json = options.format == "json"
    write = format_comparison_json if is_json else format_comparison
    print_or_write(write(compared, names), options.output)
    for _, results in sides:
        print_skipped(results.unreadable)
    return 1 if compared.counts[DIFFERENT] else 0


def _compare_sides(
    names: Sequence[SideName], sides: Sequence[Results], papers: Sequence[PaperTable]
) -> ComparedSides:
    """Return the two sides compared, in the rows of some tables alone where any are given.

    Raises:
        ConfigError: no row has a seed on both sides.
    """
    from senet_repro.report.claims.moves import compare_rows
    from senet_repro.report.tables.compared import match_rows, select_tables

    if papers:
        sides = [select_tables(results, papers) for results in sides]
    first, second = sides
    compared = compare_rows(match_rows(first.records, second.records))
    if not compared.rows:
        raise ConfigError(_explain_nothing_common(names, compared, papers))
    return compared


def _explain_nothing_common(
    names: Sequence[SideName], compared: ComparedSides, papers: Sequence[PaperTable]
) -> str:
    """Return why there is nothing to compare, and what would mend it."""
    from senet_repro.config.paper_tables import label_table
    from senet_repro.core.wording import name_some

    where = " and ".join(name.given for name in names)
    rows = compared.matching.rows
    common = [row.name for row in rows if row.is_common]
    if papers and not common:
        asked = join_words(map(label_table, papers), "and")
        return f"compare: {where} have no row of {asked} in common; leave out --table for all rows"
    if common:
        return (
            f"compare: {where} have rows in common ({name_some(common)}), but no seed of them; train a row with the "
            "same seed on both sides"
        )
    sides = [
        name_some(row.name for row in rows if row.first.records),
        name_some(row.name for row in rows if row.second.records),
    ]
    return (
        f"compare: {where} have no run in common; the first has {sides[0]}, the second {sides[1]}; give results of the "
        "same runs"
    )
