"""`python -m senet_repro report`: one page with every table, figure and verdict, and the figures as files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_table, find_tables, format_selection
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_bytes, write_text
from senet_repro.report.page.page import Section, page, sections
from senet_repro.report.tables.build import build_tables
from senet_repro.report.tables.load import load_printable_results

PAGE = "index.html"


def main(arguments: Sequence[str]) -> int:
    """Write the report of a results folder and say where it is."""
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
    results = load_printable_results(options.results)
    if not (results.records or results.failures or results.unreadable):
        example = format_selection(find_table("reduction_ratio"))
        print(f"no records in {options.results}; python -m senet_repro -m {example} makes them")
        return 0
    found = sections(results, build_tables(results, find_tables(None)))
    _write(output, found, page(results, found, str(options.results)))
    print(output / PAGE)
    return 0


def _write(output: Path, found: Sequence[Section], html: str) -> None:
    """The page comes last, so that what it links to is there.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    try:
        (output / "figures").mkdir(parents=True, exist_ok=True)
        for section in found:
            for drawing in section.drawings:
                write_text(output / "figures" / f"{drawing.name}.svg", drawing.svg)
                write_bytes(output / "figures" / f"{drawing.name}.png", drawing.png)
        write_text(output / PAGE, html)
    except OSError as error:
        raise ConfigError(
            f"cannot write the report to {output}: {error.strerror}; give --output DIR"
        ) from error
