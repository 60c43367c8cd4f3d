"""`python -m senet_repro report`: one page with every table, figure and verdict, and the figures as files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import (
    add_origin_option,
    add_results_option,
    add_table_option,
    parse_path,
    require_results,
)
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import write_bytes, write_text

if TYPE_CHECKING:
    from senet_repro.report.figures.drawing import Drawing
    from senet_repro.report.tables.studies import Studies

DESCRIPTION = "Every table, figure and verdict on one page."
DOING = "drawing the figures and writing the page"
PAGE = "index.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    add_origin_option(parser)
    parser.add_argument(
        "--output",
        type=parse_path,
        metavar="DIR",
        help="where the page goes (report, in --results)",
    )
    parser.add_argument(
        "--svg-only",
        action="store_true",
        help="write no PNG beside each SVG: half the time, a third of the bytes",
    )
    parser.add_argument(
        "--gates",
        metavar="NAME",
        help="whose gates Figures 6 and 7 show, such as cifar10-resnet29-r16 (the first with the paper's own block)",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Write the report of a results folder, of the tables that were trained or asked for, and print where it is.

    Raises:
        ConfigError: there is no such table or results folder, or the report cannot be written.
    """
    from senet_repro.config.paper_tables import find_table, find_tables, format_selection
    from senet_repro.report.figures.claimed_gains import draw_claimed_gains
    from senet_repro.report.page.page import PageFigures, render_page
    from senet_repro.report.page.sections import build_sections, split_tables
    from senet_repro.report.tables.build import build_tables
    from senet_repro.report.tables.load import load_printable_results
    from senet_repro.report.tables.studies import read_studies

    papers = find_tables(options.table)
    results_dir = require_results(options.results)
    results = load_printable_results(results_dir, only_ours=options.ours)
    studies, problems = read_studies(results_dir, papers)
    results.unreadable.extend(problems)
    drawings = _draw_studies(studies, options.gates)
    if not (results.records or results.failures or results.unreadable or studies):
        example = format_selection(find_table("reduction_ratio"))
        print(f"no records in {options.results}; python -m senet_repro -m {example} makes them")
        return 0
    output = options.output or options.results / "report"
    tables = build_tables(results, papers)
    shown, others = (tables, []) if options.table else split_tables(tables)
    sections = build_sections(results, shown)
    # A single table has these figures already.
    overview = None
    if len(sections) > 1:
        overview = draw_claimed_gains([(each.table, each.judged) for each in sections])
    figures = PageFigures(overview=overview, studies=drawings, has_png=not options.svg_only)
    html = render_page(results, sections, str(options.results), others, studies, figures)
    drawn = [drawing for section in sections for drawing in section.drawings]
    for own in drawings.values():
        drawn += own
    if overview is not None:
        drawn.append(overview)
    _write_report(output, drawn, html, has_png=not options.svg_only)
    print(output / PAGE)
    return 0


def _draw_studies(studies: Studies, wanted: str | None) -> dict[str, list[Drawing]]:
    """Return the figures of the studies by network: the gates of one of them, and the importance of channels of all.

    `wanted` names the network whose gates are drawn; without a wish it is the first with the paper's own block.

    Raises:
        ConfigError: there is no such network.
    """
    from senet_repro.report.figures.gates import draw_gate_figures
    from senet_repro.report.figures.importance import draw_importance
    from senet_repro.report.tables.gate_studies import choose_network

    drawings: dict[str, list[Drawing]] = {}
    chosen = choose_network(studies.gates, wanted)
    if chosen is not None:
        drawings[chosen.name] = draw_gate_figures(chosen.first, "gates-")
    for number, finding in enumerate(studies.importance, start=1):
        name = f"importance-{number}"
        drawings.setdefault(f"importance of {finding.name}", []).append(
            draw_importance(finding, name)
        )
    return drawings


def _write_report(output: Path, figures: Sequence[Drawing], html: str, has_png: bool) -> None:
    """Write the figures, in pixels as well if `has_png`, and then the page.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    try:
        folder = output / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        for drawing in figures:
            write_text(folder / f"{drawing.name}.svg", drawing.svg)
            if has_png:
                write_bytes(folder / f"{drawing.name}.png", drawing.png)
        # The page comes last, so that whatever it links to is there.
        write_text(output / PAGE, html)
    except OSError as error:
        raise ConfigError(
            f"cannot write the report to {output}: {error.strerror}; give --output DIR"
        ) from error
