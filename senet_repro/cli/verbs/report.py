"""`python -m senet_repro report`: one page with every table, figure and verdict, and the figures as files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import (
    add_results_option,
    add_table_option,
    parse_path,
    require_results,
)
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_bytes, write_text

if TYPE_CHECKING:
    from senet_repro.report.page.sections import Section

DESCRIPTION = "Every table, figure and verdict on one page."
DOING = "drawing the figures and writing the page"
PAGE = "index.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    parser.add_argument(
        "--output",
        type=parse_path,
        metavar="DIR",
        help="where the page goes (report, in --results)",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Write the report of a results folder, of the tables that were trained or asked for, and print where it is.

    Raises:
        ConfigError: there is no such table or results folder, or the report cannot be written.
    """
    from senet_repro.config.paper_tables import find_table, find_tables, format_selection
    from senet_repro.report.page.page import render_page
    from senet_repro.report.page.sections import build_sections, split_tables
    from senet_repro.report.tables.build import build_tables
    from senet_repro.report.tables.costs import load_cost_tables
    from senet_repro.report.tables.load import load_printable_results
    from senet_repro.report.tables.rescored import find_rescored_tables
    from senet_repro.results.evaluation import load_evaluations

    papers = find_tables(options.table)
    results_dir = require_results(options.results)
    results = load_printable_results(results_dir)
    evaluations, problems = load_evaluations(results_dir)
    costs, unread = load_cost_tables(results_dir)
    results.unreadable.extend([*problems, *unread])
    if not (results.records or results.failures or results.unreadable or evaluations or costs):
        example = format_selection(find_table("reduction_ratio"))
        print(f"no records in {options.results}; python -m senet_repro -m {example} makes them")
        return 0
    output = options.output or options.results / "report"
    tables = build_tables(results, papers)
    shown, others = (tables, []) if options.table else split_tables(tables)
    sections = build_sections(results, shown)
    rescored = find_rescored_tables(evaluations, papers)
    html = render_page(results, sections, str(options.results), others, rescored, costs)
    _write_report(output, sections, html)
    print(output / PAGE)
    return 0


def _write_report(output: Path, sections: Sequence[Section], html: str) -> None:
    """Write the figures and then the page.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    try:
        _write_figures(output / "figures", sections)
        # The page comes last, so that whatever it links to is there.
        write_text(output / PAGE, html)
    except OSError as error:
        raise ConfigError(
            f"cannot write the report to {output}: {error.strerror}; give --output DIR"
        ) from error


def _write_figures(folder: Path, sections: Sequence[Section]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for section in sections:
        for drawing in section.drawings:
            write_text(folder / f"{drawing.name}.svg", drawing.svg)
            write_bytes(folder / f"{drawing.name}.png", drawing.png)
