"""W&B's files of a results folder's runs and error tables, written at a command's end and by `publish`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from senet_repro.config.paper_tables import find_tables
from senet_repro.config.schema import Logger, Run
from senet_repro.core.lock import hold_lock
from senet_repro.core.printing import print_line
from senet_repro.mirrors.wandb_account import ask_account, read_mode
from senet_repro.mirrors.wandb_data import WandbRun
from senet_repro.mirrors.wandb_files import (
    find_unsent_log,
    is_written,
    write_offline_runs,
)
from senet_repro.mirrors.wandb_process import WandbError
from senet_repro.mirrors.wandb_run import describe_logged_runs, read_project
from senet_repro.report.page.wandb_table import TABLES_FOLDER, add_charts, describe_table
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.tables.load import load_printable_results
from senet_repro.results.record import Record


def copy_results(runs: Iterable[Run]) -> None:
    """Write W&B's files of the runs of a command and of the tables that they stand in; nothing is sent.

    Only where the runs have logger=wandb. Never raises: a failure is a line, and costs the copies alone.
    """
    results_dirs = {Path(run.results_dir) for run in runs if run.logger.name == "wandb"}
    if not results_dirs or _is_switched_off():
        return
    for results_dir in sorted(results_dirs):
        try:
            copies = write_copies(results_dir, only_logged=True)
        except Exception as error:
            problem = f"{error}; the records are complete without it"
            print(
                f"W&B: {problem}; once more: {describe_publish_command(results_dir)}",
                file=sys.stderr,
            )
            continue
        if unsent := find_unsent_logs(copies):
            count = f"{len(unsent)} runs and tables"
            print(f"W&B: to send {count}: {describe_publish_command(results_dir)}", file=sys.stderr)


def _is_switched_off() -> bool:
    """Return whether W&B is told to do nothing; if it cannot say so, writing the copies tells what is wrong with it."""
    if read_mode() == "disabled":
        return True
    with suppress(WandbError):
        return ask_account().mode == "disabled"
    return False


def write_copies(
    results_dir: Path,
    table_names: Sequence[str] = (),
    project: str | None = None,
    *,
    only_logged: bool = False,
) -> list[WandbRun]:
    """Write W&B's files of every run with logger=wandb and of the tables, where their content is new.

    `table_names` select tables, all of them where none is named; `only_logged` leaves out tables without a run of
    logger=wandb. Without a `project` each goes to the project in its runs' settings. Returns all of them, those that
    were written before included.

    Raises:
        WandbError: they could not be written.
    """
    if not results_dir.is_dir():
        return []
    # Two commands that end at the same moment would remove each other's files, or write older content over newer.
    with hold_lock(results_dir / TABLES_FOLDER):
        copies = list(describe_logged_runs(results_dir, project))
        new = [copy for copy in copies if not is_written(copy)]
        # Whose runs are not ours has copies of its own, if it wants any.
        results = load_printable_results(results_dir, only_ours=True)
        for message in results.unreadable:
            print_line(f"W&B: skipped {message}", file=sys.stderr)
        for table in build_tables(results, find_tables(table_names)):
            own_project = find_project(table)
            if only_logged and own_project is None:
                continue
            copy = describe_table(table, results_dir, project or own_project or Logger().project)
            copies.append(copy)
            if not is_written(copy):
                new.append(add_charts(copy, table))
        if new:
            write_offline_runs(new)
    return copies


def find_project(table: ResultTable) -> str | None:
    """Return the project of the first run with logger=wandb in a table; None without such a run."""
    projects = (read_project(record.config) for record in iterate_records(table))
    return next((project for project in projects if project is not None), None)


def iterate_records(table: ResultTable) -> Iterator[Record]:
    """Yield every record in a table, and of the rows beside it."""
    for row in (*table.rows, *table.beside):
        yield from row.records


def find_unsent_logs(copies: Iterable[WandbRun]) -> list[Path]:
    """Return the files that are to be sent."""
    logs = [find_unsent_log(copy) for copy in copies]
    return [log for log in logs if log]


def describe_publish_command(results_dir: Path) -> str:
    """Return the command that sends what lies in a results folder."""
    return f"python -m senet_repro publish --results {shlex.quote(str(results_dir))}"
