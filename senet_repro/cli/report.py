"""`python -m senet_repro report`: one page with every table, figure and verdict, and the figures as files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_table, find_tables, selection
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_bytes, write_text
from senet_repro.report.page.page import render_page
from senet_repro.report.page.sections import Section, build_sections
from senet_repro.report.tables.build import build_tables
from senet_repro.results.store import load_results

PAGE = "index.html"


def main(arguments: Sequence[str]) -> int:
    """Write the report of a results folder and print the path of its page."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro report",
        description="Every table, figure and verdict on one page.",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where the runs are (runs)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="where the page goes (report, in --results)"
    )
    options = parser.parse_args(arguments)
    output = options.output or options.results / "report"
    if options.results.exists() and not options.results.is_dir():
        raise ConfigError(
            f"--results {options.results}: not a folder; give one that runs were written to"
        )
    results = load_results(options.results)
    if not (results.records or results.failures or results.unreadable):
        example = selection(find_table("reduction_ratio"))
        print(f"no records in {options.results}; python -m senet_repro -m {example} makes them")
        return 0
    sections = build_sections(results, build_tables(results, find_tables(None)))
    _write_report(output, sections, render_page(results, sections, str(options.results)))
    print(output / PAGE)
    return 0


def _write_report(output: Path, sections: Sequence[Section], html: str) -> None:
    """Write the figures and the page into a folder.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    figures = output / "figures"
    try:
        figures.mkdir(parents=True, exist_ok=True)
        for section in sections:
            for drawing in section.drawings:
                write_text(figures / f"{drawing.name}.svg", drawing.svg)
                write_bytes(figures / f"{drawing.name}.png", drawing.png)
        # The page comes last, so that everything that it links to is there.
        write_text(output / PAGE, html)
    except OSError as error:
        raise ConfigError(
            f"cannot write the report to {output}: {error.strerror}; give --output DIR"
        ) from error
