"""`python -m senet_repro publish`: the error tables on Weights & Biases, now and as runs end."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.paper_tables import find_tables
from senet_repro.config.schema import Logger, PaperTable, Run
from senet_repro.core.errors import ConfigError
from senet_repro.mirrors.wandb_home import in_a_line, mode
from senet_repro.report.publish import FOLDER, Content, Published, content, publish
from senet_repro.report.tables.build import ResultTable, build_tables
from senet_repro.report.tables.load import load_printable_results
from senet_repro.results.record import Record

LIMIT_S, AT_RUNS_END_LIMIT_S = 120, 30  # for a table: who asks for it waits longer than a run does


def main(arguments: Sequence[str]) -> int:
    """Publish every table that has records, or the one asked for; 1 if one could not be, or none is there."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro publish",
        description="The error tables on Weights & Biases, each a run of its own; offline files where there is no key.",
    )
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
    parser.add_argument(
        "--project", metavar="P", default=Logger().project, help=f"on W&B ({Logger().project})"
    )
    options = parser.parse_args(arguments)
    asked = mode()
    if asked == "disabled":
        raise ConfigError("WANDB_MODE=disabled: unset it to publish, or give WANDB_MODE=offline")
    papers = find_tables(options.table)
    tables = build_tables(load_printable_results(options.results), papers)
    if not tables:
        print(f"no records in {options.results} for a table", file=sys.stderr)
    found, failed = [], not tables
    for table in tables:
        shown = content(table)
        try:
            done = publish(
                table, shown, results_dir=options.results, project=options.project, limit_s=LIMIT_S
            )
        except Exception as error:
            print(f"W&B: {shown.name}: {in_a_line(error)}", file=sys.stderr)
            failed = True
        else:
            print(f"{done.name}: {done.url or done.folder}")
            found.append(done)
    offline = [str(done.folder) for done in found if done.folder]
    if offline:
        print(f"offline; to put them on W&B: wandb sync {shlex.join(offline)}")
    return 1 if failed or (asked == "online" and offline) else 0


class Publisher:
    """Publishes tables as runs end. Never raises, waits for W&B a bounded time, and gives up at the first failure.

    The table that a run was trained for follows at its end; the others that its record belongs to are published once,
    at the end of the command: a common point of the grid stands in eight of them, and each takes most of a second.
    """

    def __init__(self) -> None:
        self._trained: dict[
            tuple[Path, str], set[tuple[str, int]]
        ] = {}  # by results folder and project
        self._shown: dict[
            str, Content
        ] = {}  # by W&B id: what did not change is not published again
        self._offline: dict[Path, Published] = {}
        self._gave_up = False

    def after(self, run: Run, record: Record) -> None:
        """Publish the table that `run` was trained for."""
        if run.logger.name == "wandb" and mode() != "disabled":
            place = Path(run.results_dir), run.logger.project
            self._trained.setdefault(place, set()).add((record.run_key, record.seed))
            if run.table:
                self._publish(*place, find_tables(run.table.name))

    def close(self) -> None:
        """Publish the other tables of what was trained, and say how to sync those that are offline."""
        for place in self._trained:
            self._publish(*place, find_tables(None))
        for results_dir in self._offline:
            folders = f"{shlex.quote(str(results_dir / FOLDER))}/*/wandb/offline-run-*"
            print(f"W&B: the tables are offline; wandb sync {folders}", file=sys.stderr)

    def _publish(self, results_dir: Path, project: str, papers: Sequence[PaperTable]) -> None:
        if self._gave_up:
            return
        try:
            for table in build_tables(load_printable_results(results_dir), papers):
                if not _holds(table, self._trained[results_dir, project]):
                    continue
                shown = content(table)
                if self._shown.get(shown.run_id) != shown:
                    limit_s = AT_RUNS_END_LIMIT_S
                    done = publish(
                        table, shown, results_dir=results_dir, project=project, limit_s=limit_s
                    )
                    self._shown[shown.run_id] = shown
                    if done.folder:
                        self._offline[results_dir] = done
        except Exception as error:
            self._gave_up = True
            later = f"python -m senet_repro publish --results {shlex.quote(str(results_dir))}"
            print(f"W&B: {in_a_line(error)}; no tables there for now: {later}", file=sys.stderr)


def _holds(table: ResultTable, trained: set[tuple[str, int]]) -> bool:
    return any(
        (record.run_key, record.seed) in trained
        for row in (*table.rows, *table.beside)
        for record in row.records
    )
