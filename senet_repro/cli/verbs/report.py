"""`python -m senet_repro report`: a page with every table, figure and verdict, or a report in the form of a paper."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from senet_repro.core.printing import print_skipped

if TYPE_CHECKING:
    from senet_repro.report.figures.drawing import Drawing
    from senet_repro.report.tables.studies import Studies

DESCRIPTION = (
    "Every table, figure and verdict on one page, or as a paper. The latter (--form paper) is what reproducibility "
    "courses and journals ask for, in Markdown and LaTeX."
)
DOING = "writing the report"
PAGE = "index.html"
FORMS = ("page", "paper")
MARKDOWN_PAPER = "paper.md"
LATEX_PAPER = "paper.tex"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    add_origin_option(parser)
    parser.add_argument(
        "--form",
        choices=FORMS,
        default=FORMS[0],
        help="one page as HTML, or a paper as Markdown and LaTeX (page)",
    )
    parser.add_argument(
        "--output",
        type=parse_path,
        metavar="DIR",
        help="where it goes (a folder named report or paper, in --results)",
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
    if options.form == "paper":
        return _report_as_paper(options)
    return _report_as_page(options)


def _report_as_page(options: argparse.Namespace) -> int:
    """Write the page and its figures."""
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


def _report_as_paper(options: argparse.Namespace) -> int:
    """Write the report in the form of a paper, and print what its authors have left to write.

    Raises:
        ConfigError: no record stands in a table that was asked for, a file of the folder is damaged, or `--gates` or
            `--svg-only` is given, which are of the page's figures.
    """
    from senet_repro.config.paper_tables import find_tables
    from senet_repro.report.paper.build import build_document
    from senet_repro.report.paper.facts import gather_facts
    from senet_repro.report.paper.latex import render_latex
    from senet_repro.report.paper.markdown import render_markdown
    from senet_repro.report.paper.remarks import REMARKS_FILE

    if options.gates is not None:
        raise ConfigError("--gates chooses a figure of the page: leave it out with --form paper")
    if options.svg_only:
        raise ConfigError("--svg-only is of the page's figures: leave it out with --form paper")
    papers = find_tables(options.table)
    results_dir = require_results(options.results)
    facts = gather_facts(results_dir, papers, shows_all=bool(options.table), only_ours=options.ours)
    document = build_document(facts)
    output = options.output or results_dir / "paper"
    with _explain_write(output):
        output.mkdir(parents=True, exist_ok=True)
        write_text(output / MARKDOWN_PAPER, render_markdown(document))
        write_text(output / LATEX_PAPER, render_latex(document))
    print(output / MARKDOWN_PAPER)
    print(output / LATEX_PAPER)
    missing = facts.remarks.missing
    if missing:
        where = results_dir / REMARKS_FILE
        print(
            f"left to its authors: {', '.join(missing)}; write {where} and give the command again"
        )
    print_skipped(facts.results.unreadable)
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
    with _explain_write(output):
        folder = output / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        for drawing in figures:
            write_text(folder / f"{drawing.name}.svg", drawing.svg)
            if has_png:
                write_bytes(folder / f"{drawing.name}.png", drawing.png)
        # The page comes last, so that whatever it links to is there.
        write_text(output / PAGE, html)


@contextmanager
def _explain_write(output: Path) -> Iterator[None]:
    """Within the block, turn the failure to write a report into an error that names the mend."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"cannot write the report to {output}: {error.strerror}; give --output DIR"
        ) from error
