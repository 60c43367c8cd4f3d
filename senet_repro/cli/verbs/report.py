"""`python -m senet_repro report`: one page with every table, figure and verdict, and the figures as files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import add_results_option, parse_path
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_bytes, write_text

if TYPE_CHECKING:
    from senet_repro.report.page.sections import Section

DESCRIPTION = "Every table, figure and verdict on one page."
PAGE = "index.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    parser.add_argument(
        "--output",
        type=parse_path,
        metavar="DIR",
        help="where the page goes (report, in --results)",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Write the report of a results folder and print where it is.

    Raises:
        ConfigError: there is a file in place of one of the two folders, or the report cannot be written.
    """
    from senet_repro.config.paper_tables import find_table, find_tables, format_selection
    from senet_repro.report.page.page import render_page
    from senet_repro.report.page.sections import build_sections
    from senet_repro.report.tables.build import build_tables
    from senet_repro.report.tables.load import load_printable_results

    if options.results.exists() and not options.results.is_dir():
        raise ConfigError(
            f"--results {options.results}: not a folder; give one that runs were written to"
        )
    results = load_printable_results(options.results)
    if not (results.records or results.failures or results.unreadable):
        example = format_selection(find_table("reduction_ratio"))
        print(f"no records in {options.results}; python -m senet_repro -m {example} makes them")
        return 0
    output = options.output or options.results / "report"
    sections = build_sections(results, build_tables(results, find_tables(None)))
    html = render_page(results, sections, str(options.results))
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
