"""`python -m senet_repro publish`: runs and error tables on Weights & Biases; their files also at a command's end."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_tables
from senet_repro.config.schema import Logger, Run
from senet_repro.core.errors import ConfigError
from senet_repro.core.lock import locked
from senet_repro.mirrors.wandb_data import WandbRun
from senet_repro.mirrors.wandb_files import (
    WandbError,
    find_unsent_log,
    is_written,
    write_offline_runs,
)
from senet_repro.mirrors.wandb_run import describe_logged_runs
from senet_repro.mirrors.wandb_sync import has_key, read_mode, send_logs
from senet_repro.report.page.wandb_table import TABLES_FOLDER, add_charts, describe_table
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.results.record import Record
from senet_repro.results.store import load_results


def main(arguments: Sequence[str]) -> int:
    """Publish what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro publish",
        description="Write runs of logger=wandb and the error tables as W&B's files; send them where there is a key.",
    )
    add_arguments(parser)
    return run_verb(parser.parse_args(arguments))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where the runs are (runs)",
    )
    parser.add_argument(
        "--table", metavar="NAME", help="a number in the paper or a name, such as 10"
    )
    parser.add_argument("--project", metavar="P", help="on W&B (that of the runs' logger.project)")


def run_verb(options: argparse.Namespace) -> int:
    """Write runs and tables, send them, and print where they are.

    Returns 1 if there is nothing to publish, or if something could not be written or sent.

    Raises:
        ConfigError: W&B is switched off, or there is no such table.
    """
    if read_mode() == "disabled":
        raise ConfigError("WANDB_MODE=disabled: unset it to publish, or give WANDB_MODE=offline")
    try:
        copies = write_copies(options.results, options.table, options.project)
        if not copies:
            print(f"no records in {options.results} for a table", file=sys.stderr)
            return 1
        print_copies(copies)
        return send_copies(copies, options.results)
    except (WandbError, OSError) as error:
        print(f"W&B: {error}", file=sys.stderr)
        return 1


def send_copies(copies: Sequence[WandbRun], results_dir: Path) -> int:
    """Send what was not sent yet, where there is a key, and print what came of it; returns the exit code."""
    unsent = find_unsent_logs(copies)
    if not unsent:
        print("all of it was sent to W&B before")
        return 0
    if read_mode() != "online":
        reason = "WANDB_MODE=offline" if has_key() else "there is no key"
        print(f"{len(unsent)} not sent to W&B: {reason}")
        print(f"with WANDB_API_KEY, or after `wandb login`: {write_command(results_dir)}")
        return 0
    failed = send_logs(unsent)
    print(f"{len(unsent) - len(failed)} of {len(unsent)} sent to W&B")
    return 1 if failed else 0


def print_copies(copies: Sequence[WandbRun]) -> None:
    """Print each table with its folder, and how many runs there are."""
    tables = [copy for copy in copies if copy.job_type == "table"]
    for table in tables:
        print(f"{table.name}: {table.folder}")
    if runs := len(copies) - len(tables):
        print(f"{runs} {'run' if runs == 1 else 'runs'} of logger=wandb")


def copy_results(runs: Iterable[Run]) -> None:
    """Write W&B's files of the runs of a command and of the tables that they stand in; nothing is sent.

    Only where the runs have logger=wandb. Never raises: a failure is a line, and costs the copies alone.
    """
    results_dirs = {Path(run.results_dir) for run in runs if run.logger.name == "wandb"}
    if read_mode() == "disabled":
        return
    for results_dir in sorted(results_dirs):
        try:
            copies = write_copies(results_dir, only_logged=True)
        except Exception as error:
            problem = f"{error}; the records are complete without it"
            print(f"W&B: {problem}; once more: {write_command(results_dir)}", file=sys.stderr)
            continue
        if unsent := find_unsent_logs(copies):
            count = f"{len(unsent)} runs and tables"
            print(f"W&B: to send {count}: {write_command(results_dir)}", file=sys.stderr)


def write_copies(
    results_dir: Path,
    table_name: str | None = None,
    project: str | None = None,
    *,
    only_logged: bool = False,
) -> list[WandbRun]:
    """Write W&B's files of every run with logger=wandb and of the tables, where their content is new.

    `table_name` selects one table; `only_logged` leaves out tables without a run of logger=wandb. Without a `project`
    each goes to the project in its runs' settings. Returns all of them, those that were written before included.

    Raises:
        WandbError: they could not be written.
    """
    copies = list(describe_logged_runs(results_dir, project))
    new = [copy for copy in copies if not is_written(copy)]
    for table in build_tables(load_results(results_dir), find_tables(table_name)):
        logger = find_logger(table)
        if only_logged and logger is None:
            continue
        copy = describe_table(table, results_dir, project or (logger or Logger()).project)
        copies.append(copy)
        if not is_written(copy):
            new.append(add_charts(copy, table))
    if new:
        # Two commands that end at the same moment would remove each other's files.
        with locked(results_dir / TABLES_FOLDER):
            write_offline_runs(new)
    return copies


def find_logger(table: ResultTable) -> Logger | None:
    """Return the settings of logger=wandb of the first run in a table that has them; None without such a run."""
    for record in iterate_records(table):
        settings = record.config.get("logger", {})
        if settings.get("name") == "wandb":
            return Logger(**settings)
    return None


def iterate_records(table: ResultTable) -> Iterator[Record]:
    """Yield every record in a table, and of the rows beside it."""
    for row in (*table.rows, *table.beside):
        yield from row.records


def find_unsent_logs(copies: Iterable[WandbRun]) -> list[Path]:
    """Return the files that are to be sent."""
    logs = [find_unsent_log(copy) for copy in copies]
    return [log for log in logs if log]


def write_command(results_dir: Path) -> str:
    """Return the command that sends what lies in a results folder."""
    return f"python -m senet_repro publish --results {shlex.quote(str(results_dir))}"
