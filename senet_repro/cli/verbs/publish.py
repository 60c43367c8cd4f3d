"""`python -m senet_repro publish`: the error tables on Weights & Biases, or offline files of them."""

from __future__ import annotations

import argparse
import shlex
import sys

from senet_repro.cli.options import add_results_option, add_table_option
from senet_repro.config.schema import Logger
from senet_repro.core.errors import ConfigError

DESCRIPTION = "The error tables on Weights & Biases, each a run of its own; offline files where there is no key."
# For one table. A person who asks for it waits longer than a run at its end does.
LIMIT_S = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    add_table_option(parser)
    parser.add_argument(
        "--project", metavar="P", default=Logger().project, help=f"on W&B ({Logger().project})"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Publish every table that has records, or the one asked for; return 1 if one could not be, or none is there.

    Raises:
        ConfigError: W&B is switched off, or there is no such table.
    """
    from senet_repro.config.paper_tables import find_tables
    from senet_repro.mirrors.wandb_home import in_a_line, mode
    from senet_repro.report.publish import content, publish
    from senet_repro.report.tables.build import build_tables
    from senet_repro.results.store import load_results

    wanted_mode = mode()
    if wanted_mode == "disabled":
        raise ConfigError("WANDB_MODE=disabled: unset it to publish, or give WANDB_MODE=offline")
    papers = find_tables(options.table)
    tables = build_tables(load_results(options.results), papers)
    if not tables:
        print(f"no records in {options.results} for a table", file=sys.stderr)
    has_failed = not tables
    offline = []
    for table in tables:
        shown = content(table)
        try:
            done = publish(
                table, shown, results_dir=options.results, project=options.project, limit_s=LIMIT_S
            )
        # Whatever W&B raises: the other tables are still published.
        except Exception as error:
            print(f"W&B: {shown.name}: {in_a_line(error)}", file=sys.stderr)
            has_failed = True
            continue
        print(f"{done.name}: {done.url or done.folder}")
        if done.folder:
            offline.append(str(done.folder))
    if offline:
        print(f"offline; to put them on W&B: wandb sync {shlex.join(offline)}")
    is_incomplete = has_failed or (wanted_mode == "online" and bool(offline))
    return 1 if is_incomplete else 0
