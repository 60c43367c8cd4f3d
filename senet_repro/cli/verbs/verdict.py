"""`python -m senet_repro verdict`: what our records make of the paper's claims."""

from __future__ import annotations

import argparse
from pathlib import Path

from senet_repro.cli.options import (
    add_format_option,
    add_origin_option,
    add_output_file_option,
    add_results_option,
    add_table_option,
    print_or_write,
    require_results,
)
from senet_repro.core.errors import ConfigError
from senet_repro.core.printing import print_skipped

DESCRIPTION = (
    "The paper's claims, judged by the records. It says what was found, how sure that is, and what is missing. "
    "The words are explained below the verdicts."
)
DOING = "judging the claims"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    add_origin_option(parser)
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 if a claim is contradicted at the level of all tables together, with 2 without records",
    )
    parser.add_argument(
        "--brief",
        action="store_true",
        help="a line for each claim that was judged, and no evidence",
    )
    add_format_option(parser, ("markdown", "json"))
    add_output_file_option(parser)


def run_verb(options: argparse.Namespace) -> int:
    """Print the verdict on every claim of the tables that have records, or of the table asked for.

    Returns 1 if `--strict` asks for it and a claim is contradicted at a level that all tables share: where nothing is
    there, the tables of a report pass in at least 95 of 100 cases, however many they are.

    Raises:
        ConfigError: there is no such table or results folder, `--brief` is asked of data, or, with `--strict`, the
            folder holds no records.
    """
    from senet_repro.config.paper_tables import find_tables
    from senet_repro.report.claims.words import CONTRADICTED
    from senet_repro.report.tables.build import build_tables
    from senet_repro.report.tables.load import load_printable_results
    from senet_repro.report.tables.studies import Studies, read_studies
    from senet_repro.report.text.claim_overview import format_claim_overview
    from senet_repro.report.text.studies import collect_study_verdicts, format_study_verdicts
    from senet_repro.report.text.verdicts import (
        format_verdicts,
        judge_tables,
    )
    from senet_repro.report.text.verdicts_json import format_verdicts_json
    from senet_repro.results.store import pause_collection

    if options.brief and options.format == "json":
        raise ConfigError("--brief is of the format markdown: leave it out with --format json")
    papers = find_tables(options.table)
    results_dir = require_results(options.results)
    with pause_collection():
        results = load_printable_results(results_dir, only_ours=options.ours)
        if options.strict and not results.records:
            print_skipped(results.unreadable)
            raise ConfigError(_describe_empty_folder(results_dir))
        found = judge_tables(build_tables(results, papers), papers)
    # Studies belong to no table that could be asked for.
    studies, unread = (Studies(), []) if options.table else read_studies(results_dir, papers)
    results.unreadable.extend(unread)
    if options.format == "json":
        text = format_verdicts_json(found, collect_study_verdicts(studies))
    elif options.brief:
        text = format_claim_overview(found)
    else:
        parts = [format_verdicts(found, list_not_run=bool(options.table))]
        text = "\n\n".join([*parts, *format_study_verdicts(studies)])
    print_or_write(text, options.output)
    print_skipped(results.unreadable)
    is_refused = options.strict and found.counts_in_report[CONTRADICTED] > 0
    return 1 if is_refused else 0


def _describe_empty_folder(results_dir: Path) -> str:
    """Return why nothing can be judged strictly: a wrong path would pass for claims that hold."""
    return (
        f"there are no records in {results_dir}; give the folder that runs were written to, --results DIR, "
        "or leave out --strict"
    )
