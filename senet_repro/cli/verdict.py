"""`python -m senet_repro verdict`: what our records make of the paper's claims."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_tables
from senet_repro.report.tables.build import build_tables
from senet_repro.report.text.verdicts import json_text, markdown, verdicts
from senet_repro.results.store import load_results, pause_collection


def main(arguments: Sequence[str]) -> int:
    """Print the verdict on every claim of the tables that have records, or of the table asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro verdict", description="The paper's claims, judged."
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
        "--strict", action="store_true", help="exit with 1 if a claim is contradicted"
    )
    parser.add_argument("--format", choices=("markdown", "json"), default="markdown")
    options = parser.parse_args(arguments)
    papers = find_tables(options.table)
    with pause_collection():
        results = load_results(options.results)
        found = verdicts(build_tables(results, papers), papers)
    print(
        json_text(found)
        if options.format == "json"
        else markdown(found, list_not_run=bool(options.table))
    )
    for message in results.unreadable:
        print(f"skipped {message}", file=sys.stderr)
    return 1 if options.strict and found.counts["contradicted"] else 0
