"""`python -m senet_repro power`: how many more seeds would settle what is inconclusive, and what they would cost."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from senet_repro.cli.options import (
    add_output_file_option,
    add_results_option,
    add_table_option,
    print_or_write,
    require_results,
)
from senet_repro.config.schema import PaperTable
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_skipped

DESCRIPTION = (
    "How many seeds it takes to settle the claims that are open. "
    "With --effect and --sd those of every claim are reckoned, before anything is trained."
)
DOING = "reckoning the seeds"
CAUTION = (
    "Power is the chance that so many seeds pass all tests of a claim, if the difference is as supposed. The level "
    "is the p that Holm's method asks of the strictest of a table's tests. A few seeds tell a difference only roughly, "
    "so plan by its lower bound, above which it lies with 80 % confidence. Fix the number of seeds before training "
    "them: who stops once a test is passed passes too often, unless the plan says that it may grow."
)
SUPPOSED = (
    "Supposed: every claimed gain is {effect:g} points, rows said to be alike are, and a difference of two rows has a "
    "standard deviation of {sd:g} over seeds. Power is the chance that so many seeds pass all tests of a claim; the "
    "level is the p that Holm's method asks of the strictest of a table's tests. Images count as fixed."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    parser.add_argument(
        "--power", type=float, default=0.8, help="chance to settle it, between 0 and 1 (0.8)"
    )
    parser.add_argument(
        "--effect",
        type=float,
        metavar="POINTS",
        help="before anything is trained: a gain to suppose; with --sd",
    )
    parser.add_argument(
        "--sd",
        type=float,
        metavar="POINTS",
        help="the standard deviation of a difference over seeds to suppose; with --effect",
    )
    add_output_file_option(parser)


def run_verb(options: argparse.Namespace) -> int:
    """Print, for each claim about errors that is inconclusive, the seeds and the time that would settle it.

    With a supposed effect nothing is read, and every claim about errors has its seeds.

    Raises:
        ConfigError: the power is no chance between 0 and 1, an effect or its deviation is missing or no positive
            number, or there is no such table or results folder.
    """
    from senet_repro.config.paper_tables import find_tables

    if not 0 < options.power < 1:
        raise ConfigError(f"--power {options.power:g}: give a chance between 0 and 1, such as 0.8")
    papers = find_tables(options.table)
    if options.effect is None and options.sd is None:
        return _print_seeds_needed(options, papers)
    _require_supposed(options)
    return _print_supposed_plans(options, papers)


def _require_supposed(options: argparse.Namespace) -> None:
    """Refuse a supposed effect without its standard deviation, the other way round, and what is not above 0."""
    for name, other in (("effect", "sd"), ("sd", "effect")):
        value = getattr(options, name)
        if value is None:
            raise ConfigError(f"--{other} needs --{name} beside it, both in points, such as 0.3")
        if not 0 < value < 100:
            raise ConfigError(f"--{name} {value:g}: give points between 0 and 100, such as 0.3")


def _print_supposed_plans(options: argparse.Namespace, papers: Sequence[PaperTable]) -> int:
    from senet_repro.config.paper_tables import label_table
    from senet_repro.report.claims.seeds_needed import suppose_seeds
    from senet_repro.report.text.seeds_needed import format_supposed_plans

    parts = []
    for paper in papers:
        plans = suppose_seeds(paper, options.effect, options.sd, options.power)
        if plans:
            parts.append(
                f"### {label_table(paper)}\n\n{format_supposed_plans(plans, options.power)}"
            )
    supposed = SUPPOSED.format(effect=options.effect, sd=options.sd)
    print_or_write("\n\n".join([*parts, supposed]), options.output)
    return 0


def _print_seeds_needed(options: argparse.Namespace, papers: Sequence[PaperTable]) -> int:
    from senet_repro.report.claims.seeds_needed import plan_seeds
    from senet_repro.report.tables.build import build_tables
    from senet_repro.report.tables.load import load_printable_results
    from senet_repro.report.text.notes import format_heading
    from senet_repro.report.text.seeds_needed import format_seeds_needed
    from senet_repro.results.store import pause_collection

    results_dir = require_results(options.results)
    parts = []
    with pause_collection():
        results = load_printable_results(results_dir)
        for table in build_tables(results, papers):
            needed = plan_seeds(table, options.power)
            if needed:
                parts.append(
                    f"### {format_heading(table)}\n\n{format_seeds_needed(needed, options.power)}"
                )
    text = "no claim about errors is inconclusive: nothing to plan"
    if parts:
        text = "\n\n".join([*parts, CAUTION])
    print_or_write(text, options.output)
    print_skipped(results.unreadable)
    return 0
