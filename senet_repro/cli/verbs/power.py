"""`python -m senet_repro power`: how many more seeds would settle what is inconclusive, and what they would cost."""

from __future__ import annotations

import argparse

from senet_repro.cli.options import add_results_option, add_table_option, require_results
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_skipped, print_text

DESCRIPTION = "Seeds that settle a claim."
DOING = "reckoning the seeds"
CAUTION = (
    "Reckoned as if the differences so far were the true ones, which a few seeds tell only roughly, and at Holm's "
    "strictest level. Fix the number of seeds before training them: who stops once a test is passed passes too often."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    parser.add_argument(
        "--power", type=float, default=0.8, help="chance to settle it, between 0 and 1 (0.8)"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Print, for each claim about errors that is inconclusive, the seeds and the time that would settle it.

    Raises:
        ConfigError: the power is no chance between 0 and 1, or there is no such table or results folder.
    """
    from senet_repro.config.paper_tables import find_tables
    from senet_repro.report.claims.seeds_needed import plan_seeds
    from senet_repro.report.tables.build import build_tables
    from senet_repro.report.tables.load import load_printable_results
    from senet_repro.report.text.notes import format_heading
    from senet_repro.report.text.seeds_needed import format_seeds_needed
    from senet_repro.results.store import pause_collection

    if not 0 < options.power < 1:
        raise ConfigError(f"--power {options.power:g}: give a chance between 0 and 1, such as 0.8")
    papers = find_tables(options.table)
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
    if parts:
        print_text("\n\n".join([*parts, CAUTION]))
    else:
        print("no claim about errors is inconclusive: nothing to plan")
    print_skipped(results.unreadable)
    return 0
