"""`python -m senet_repro plan`: write down what a campaign is going to train, before its first run."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.planning import (
    EFFECT_EXAMPLE,
    compose_rows,
    describe_table,
    draw_up_campaign,
    list_lacking_rows,
    plan_tables,
    read_words,
    refuse_begun,
)
from senet_repro.core.printing import print_line, print_text

if TYPE_CHECKING:
    from senet_repro.results.campaign import PlannedTable

DESCRIPTION = (
    "What a campaign will train, written down before its first run. Takes the words of the sweep."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "words", nargs="*", metavar="KEY=VALUE", help="tables, protocol, seed and results_dir"
    )
    parser.add_argument("-m", "--multirun", action="store_true", help="as in the sweep")
    parser.add_argument(
        "--grows-from",
        type=int,
        metavar="N",
        help="seeds may be added later, one after the other; results are judged from N seeds on",
    )
    parser.add_argument(
        "--smallest-effect",
        action="append",
        default=[],
        metavar="TEXT",
        help=f"the least gain in points that matters on this protocol, with the reason: {EFFECT_EXAMPLE}; "
        'for one claim "CLAIM: 0.5 because ...", in the words of the table',
    )


def run_verb(options: argparse.Namespace) -> int:
    """Add the tables of a sweep to the plan of its results folder, and print them.

    Raises:
        ConfigError: there is no such sweep, a run of the plan was begun already, or the code is not committed.
    """
    from senet_repro.results.campaign import PLAN_FILE, read_campaign

    words = read_words(options.words)
    runs = compose_rows(words.overrides)
    results_dir = Path(runs[0].results_dir)
    earlier = read_campaign(results_dir)
    planned = plan_tables(words, runs, options.grows_from, options.smallest_effect)
    tables = {**(earlier.tables if earlier else {}), **planned}
    is_new = earlier is None or earlier.tables != tables
    if is_new and not runs[0].dry:
        _write_tables(results_dir, tables)
    for name, table in planned.items():
        print_line(describe_table(name, table))
    for line in list_lacking_rows(runs, tables):
        print_text(line, file=sys.stderr)
    if runs[0].dry:
        print("nothing was written: dry=true")
        return 0
    print_line(f"planned in {results_dir / PLAN_FILE}; this trains them:")
    print_line(f"python -m senet_repro -m {shlex.join(options.words)}")
    return 0


def _write_tables(results_dir: Path, tables: dict[str, PlannedTable]) -> None:
    """Write the plan of a campaign anew.

    Raises:
        ConfigError: a run of it was begun, the code is not committed, or a name is none of the paper's.
    """
    from senet_repro.results.campaign import check_names, write_campaign

    refuse_begun(results_dir, tables)
    campaign = draw_up_campaign(results_dir.resolve().name, tables)
    check_names(results_dir, campaign)
    write_campaign(results_dir, campaign)
