"""`python -m senet_repro status`: how far every planned run is, from the results folder's files alone."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from senet_repro.cli.options import add_format_option, add_results_option, require_results
from senet_repro.core.durations import format_duration
from senet_repro.core.printing import escape_line, print_skipped, print_text
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.run_states import STATES, RunState, first_line, read_run_states

DESCRIPTION = "How far every planned run is. Works on any machine that sees the folder. Exit code 1: one failed."
HEADER = ("run", "seed", "state", "epoch", "images/s", "left")
REDRAW_S = 2
_HOME_AND_CLEAR = "\x1b[H\x1b[J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    output = parser.add_mutually_exclusive_group()
    add_format_option(output, ("text", "markdown", "json"))
    output.add_argument(
        "--watch",
        action="store_true",
        help=f"look again every {REDRAW_S} s; where there is no terminal, say what changed until all is done or failed",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Print the state of every run, once or again and again; return 1 if one failed.

    Raises:
        ConfigError: there is no such results folder.
    """
    results_dir = require_results(options.results)
    if not options.watch:
        return _print_once(results_dir, options.format)
    if sys.stdout.isatty():
        return _watch_in_terminal(results_dir)
    return _watch_in_log(results_dir)


def _print_once(results_dir: Path, output_format: str) -> int:
    runs, messages = read_run_states(results_dir)
    if output_format == "json":
        states = [_flatten_state(run) for run in runs]
        print(json.dumps(states, indent=2))
    elif not runs:
        print(f"no runs in {results_dir}")
    elif output_format == "markdown":
        print_text(_format_markdown(runs))
    else:
        print_text("\n".join(_describe_runs(runs)))
    print_skipped(messages)
    return _exit_code_of(runs)


def _watch_in_terminal(results_dir: Path) -> int:
    """Draw the state of every run again and again, until Ctrl-C ends the process."""
    while True:
        runs, messages = read_run_states(results_dir)
        lines = [f"skipped {message}" for message in messages] + _describe_runs(runs)
        _draw_screen(lines)
        time.sleep(REDRAW_S)


def _watch_in_log(results_dir: Path) -> int:
    """Print a summary whenever it changed, until every run is done or failed; return 1 if one failed."""
    last_summary = None
    while True:
        runs, _ = read_run_states(results_dir)
        summary = _summarise_runs(runs)
        if summary != last_summary:
            last_summary = summary
            print(summary, flush=True)
        if all(run.state in ("done", "failed") for run in runs):
            return _exit_code_of(runs)
        time.sleep(REDRAW_S)


def _draw_screen(lines: list[str]) -> None:
    """Draw as many lines as fit the terminal, the last one, which is the summary, among them."""
    size = shutil.get_terminal_size()
    if len(lines) >= size.lines:
        lines = [*lines[: size.lines - 3], "...", lines[-1]]
    # A full line would wrap, and push the first one out of sight.
    shown = [escape_line(line)[: size.columns - 1] for line in lines]
    print(_HOME_AND_CLEAR + "\n".join(shown), flush=True)


def _flatten_state(run: RunState) -> dict[str, object]:
    return {**asdict(run), "folder": str(run.folder)}


def _describe_runs(runs: Sequence[RunState]) -> list[str]:
    return [*_align_runs(runs), "", *_describe_failures(runs), _summarise_runs(runs)]


def _format_markdown(runs: Sequence[RunState]) -> str:
    """Return a Markdown table of the runs, with the table that each was planned for, and what the text says below."""
    # Imported late: the other formats need nothing of the report.
    from senet_repro.report.text.markdown import align_columns, escape_markdown

    lines: list[Sequence[str]] = [(*HEADER, "table")]
    for run in runs:
        cells = (*_run_cells(run), run.table or "")
        lines.append([escape_markdown(cell) for cell in cells])
    failures = []
    for line in _describe_failures(runs):
        failures.append(f"- {escape_markdown(line)}")
    parts = [align_columns(lines), "\n".join(failures), _summarise_runs(runs)]
    return "\n\n".join(part for part in parts if part)


def _align_runs(runs: Sequence[RunState]) -> list[str]:
    """Return a line per run, aligned, under a heading per table that runs were planned for."""
    rows: list[Sequence[str]] = [HEADER]
    for run in runs:
        rows.append(_run_cells(run))
    header, *texts = _align_cells(rows)
    lines = [header]
    table = None
    for run, text in zip(runs, texts, strict=True):
        if run.table != table:
            table = run.table
            lines.append(f"-- {table or 'other runs'}")
        lines.append(text)
    return lines


def _align_cells(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return each row as a line in which the columns stand below each other."""
    widths = []
    for column in zip(*rows, strict=True):
        widths.append(max(len(cell) for cell in column))
    lines = []
    for row in rows:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(padded).rstrip())
    return lines


def _run_cells(run: RunState) -> tuple[str, ...]:
    """Return the cells of HEADER for a run; a figure that is not known is empty."""
    epoch = ""
    if run.epochs:
        epoch = f"{run.epoch}/{run.epochs}"
        # The share of the epoch that is running, where the run tells it.
        if run.epoch_share:
            epoch += f" +{run.epoch_share:.0%}"
    pace = ""
    if run.images_per_s is not None:
        pace = f"{run.images_per_s:,.0f}"
    remaining = ""
    if run.left_s is not None:
        remaining = format_duration(run.left_s)
    return (escape_line(run.name), str(run.seed), run.state, epoch, pace, remaining)


def _describe_failures(runs: Sequence[RunState]) -> list[str]:
    """Return, for each failed run, why it failed, where its log is, and the command that repeats it."""
    lines = []
    for run in runs:
        if run.state != "failed":
            continue
        folder = escape_line(str(run.folder))
        reason = first_line(run.reason)
        lines.append(f"failed: {folder}: {reason}")
        # The status keeps the end of what the run printed.
        status_file = RunFolder(run.folder).status_file
        lines.append(f"  its last lines: {escape_line(str(status_file))}")
        if run.overrides is not None:
            command = escape_line(shlex.join(run.overrides))
            lines.append(f"  again: python -m senet_repro {command}")
    return lines


def _summarise_runs(runs: Sequence[RunState]) -> str:
    counts = Counter(run.state for run in runs)
    parts = [f"{counts['done']} of {len(runs)} done"]
    for state in STATES[1:]:
        if counts[state]:
            parts.append(f"{counts[state]} {state}")
    summary = ", ".join(parts)
    remaining_s = _estimate_remaining_s(runs)
    if not remaining_s:
        return summary
    return f"{summary}; about {format_duration(remaining_s)} left"


def _estimate_remaining_s(runs: Sequence[RunState]) -> float | None:
    """Return the seconds until all runs are done, with as many side by side as now.

    None where nothing runs, or where no running run knows its own remaining time yet.
    """
    running = [run for run in runs if run.state == "running"]
    known_s = [run.left_s for run in running if run.left_s is not None]
    if not known_s:
        return None
    # A run of which nothing is known takes as long as those that are done, or else as the slowest that runs.
    done_s = [run.wall_s for run in runs if run.wall_s is not None]
    whole_run_s = max(known_s)
    if done_s:
        whole_run_s = sum(done_s) / len(done_s)
    to_come = sum(run.state in ("waiting", "stopped") for run in runs)
    unknown = len(running) - len(known_s)
    work_s = sum(known_s) + (to_come + unknown) * whole_run_s
    shared_s = work_s / len(running)
    # However many run side by side, none of them ends before its own time.
    return max(shared_s, *known_s)


def _exit_code_of(runs: Sequence[RunState]) -> int:
    is_any_failed = any(run.state == "failed" for run in runs)
    return 1 if is_any_failed else 0
