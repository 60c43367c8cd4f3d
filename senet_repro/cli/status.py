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

from senet_repro.core.durations import format_duration
from senet_repro.results.run_folder import RunFolder
from senet_repro.results.run_states import STATES, RunState, first_line, read_run_states

HEADER = ("run", "seed", "state", "epoch", "images/s", "left")
REDRAW_S = 2
_HOME_AND_CLEAR = "\x1b[H\x1b[J"


def main(arguments: Sequence[str]) -> int:
    """Print the state of every run, once or again and again; 1 if one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m senet_repro status",
        description="How far every planned run is. Works on any machine that sees the folder. Exit code 1: one failed.",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where the runs are (runs)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--format", choices=("text", "json"), default="text")
    form.add_argument(
        "--watch",
        action="store_true",
        help=f"look again every {REDRAW_S} s; where there is no terminal, say what changed until all is done or failed",
    )
    options = parser.parse_args(arguments)
    if options.watch:
        return _watch(options.results)
    runs, messages = read_run_states(options.results)
    if options.format == "json":
        print(json.dumps([{**asdict(run), "folder": str(run.folder)} for run in runs], indent=2))
    elif runs:
        print("\n".join(_text(runs)))
    else:
        print(f"no runs in {options.results}")
    for message in messages:
        print(f"skipped {message}", file=sys.stderr)
    return _exit_code(runs)


def _watch(results_dir: Path) -> int:
    said = None
    while True:
        runs, messages = read_run_states(results_dir)
        if sys.stdout.isatty():
            size = shutil.get_terminal_size()
            lines = [*(f"skipped {message}" for message in messages), *_text(runs)]
            shown = (
                lines if len(lines) < size.lines else [*lines[: size.lines - 3], "...", lines[-1]]
            )
            print(
                _HOME_AND_CLEAR + "\n".join(line[: size.columns - 1] for line in shown), flush=True
            )
        elif (summary := _summary(runs)) != said:
            said = summary
            print(summary, flush=True)
        if not sys.stdout.isatty() and all(run.state in ("done", "failed") for run in runs):
            return _exit_code(runs)
        time.sleep(REDRAW_S)


def _text(runs: Sequence[RunState]) -> list[str]:
    return [*_lines(runs), "", *_failures(runs), _summary(runs)]


def _lines(runs: Sequence[RunState]) -> list[str]:
    """A line per run, aligned, under a heading per table that runs were planned for."""
    cells = [HEADER, *(_cells(run) for run in runs)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    texts = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    lines = [texts[0]]
    table = None
    for run, text in zip(runs, texts[1:], strict=True):
        if run.table != table:
            table = run.table
            lines.append(f"-- {table or 'other runs'}")
        lines.append(text)
    return lines


def _cells(run: RunState) -> tuple[str, ...]:
    epoch = ""
    if run.epochs:
        share = f" +{run.epoch_share:.0%}" if run.epoch_share else ""
        epoch = f"{run.epoch}/{run.epochs}{share}"
    pace = "" if run.images_per_s is None else f"{run.images_per_s:,.0f}"
    return (
        run.name,
        str(run.seed),
        run.state,
        epoch,
        pace,
        "" if run.left_s is None else format_duration(run.left_s),
    )


def _failures(runs: Sequence[RunState]) -> list[str]:
    """Why runs failed, where their log is, and the command that repeats each."""
    lines = []
    for run in runs:
        if run.state == "failed":
            lines.append(f"failed: {run.folder}: {first_line(run.reason)}")
            lines.append(f"  its last lines: {RunFolder(run.folder).status_file}")
            if run.overrides is not None:
                lines.append(f"  again: python -m senet_repro {shlex.join(run.overrides)}")
    return lines


def _summary(runs: Sequence[RunState]) -> str:
    counts = Counter(run.state for run in runs)
    parts = [f"{counts['done']} of {len(runs)} done"]
    parts += [f"{counts[state]} {state}" for state in STATES[1:] if counts[state]]
    left_s = _left_s(runs)
    return ", ".join(parts) + (f"; about {format_duration(left_s)} left" if left_s else "")


def _left_s(runs: Sequence[RunState]) -> float | None:
    """What is left with as many runs side by side as now; none where nothing runs, or nothing is known yet."""
    running = [run for run in runs if run.state == "running"]
    known = [run.left_s for run in running if run.left_s is not None]
    if not known:
        return None
    done = [run.wall_s for run in runs if run.wall_s is not None]
    each_s = sum(done) / len(done) if done else max(known)
    to_come = sum(run.state in ("waiting", "stopped") for run in runs)
    unknown = len(running) - len(known)
    return max(max(known), (sum(known) + (to_come + unknown) * each_s) / len(running))


def _exit_code(runs: Sequence[RunState]) -> int:
    return 1 if any(run.state == "failed" for run in runs) else 0
