"""`python -m senet_repro table`: the paper's tables from the records there are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.canonical import canonical
from senet_repro.config.composition import compose
from senet_repro.config.tables import find_table, paper_tables
from senet_repro.report.render import FORMATS
from senet_repro.report.tables import build_tables
from senet_repro.results.store import load_results


def main(arguments: Sequence[str]) -> int:
    """Print every table that has records, or the one asked for."""
    parser = argparse.ArgumentParser(prog="python -m senet_repro table", description="The paper's figures beside ours.")
    parser.add_argument("--results", type=Path, default=Path("runs"), metavar="DIR", help="where the runs are (runs)")
    parser.add_argument(
        "--table", metavar="NAME", help="a number in the paper or a name, such as 10 or reduction_ratio"
    )
    parser.add_argument("--format", choices=FORMATS, default="markdown")
    options = parser.parse_args(arguments)
    papers = [find_table(options.table)] if options.table else list(paper_tables().values())
    results = load_results(options.results)
    tables = build_tables(results, papers, canonical(compose(["protocol=imagenet"])))
    for message in results.unreadable:
        print(f"skipped {message}", file=sys.stderr)
    if not tables and options.format == "markdown":
        wanted = papers[0].name if options.table else "reduction_ratio"
        print(f"no records in {options.results}; python -m senet_repro -m +ablation={wanted} makes them")
    else:
        print(FORMATS[options.format](tables))
    return 0
