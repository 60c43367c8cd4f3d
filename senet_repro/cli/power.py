"""`python -m senet_repro power`: how many more seeds would settle what is inconclusive, and what they would cost."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_tables
from senet_repro.core.errors import ConfigError
from senet_repro.report.claims.seeds_needed import markdown, plans
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.notes import heading
from senet_repro.results.store import load_results, pause_collection

CAUTION = (
    "Reckoned as if the differences so far were the true ones, which a few seeds tell only roughly, and at Holm's "
    "strictest level. Fix the number of seeds before training them: who stops once a test is passed passes too often."
)


def main(arguments: Sequence[str]) -> int:
    """Print, for each claim about errors that is inconclusive, the seeds and the time that would settle it."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro power", description="Seeds that settle a claim."
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where the runs are (runs)",
    )
    parser.add_argument(
        "--table",
        metavar="NAME",
        help="a number in the paper or a name, such as 10 or reduction_ratio",
    )
    parser.add_argument(
        "--power", type=float, default=0.8, help="chance to settle it, between 0 and 1 (0.8)"
    )
    options = parser.parse_args(arguments)
    if not 0 < options.power < 1:
        raise ConfigError(f"--power {options.power:g}: give a chance between 0 and 1, such as 0.8")
    papers = find_tables(options.table)
    with pause_collection():
        results = load_results(options.results)
        planned = [(table, plans(table, options.power)) for table in build_tables(results, papers)]
    parts = [
        f"### {heading(table)}\n\n{markdown(found, options.power)}"
        for table, found in planned
        if found
    ]
    print(
        "\n\n".join([*parts, CAUTION])
        if parts
        else "no claim about errors is inconclusive: nothing to plan"
    )
    for message in results.unreadable:
        print(f"skipped {message}", file=sys.stderr)
    return 0
