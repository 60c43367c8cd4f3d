"""The plans of a sweep, written before its first run, and the runs that no plan of their campaign holds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from senet_repro.cli.points import Point
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.core.printing import print_text
from senet_repro.core.wording import choose_form, count_noun, join_words
from senet_repro.report.tables.planned_seeds import name_seeds
from senet_repro.results.campaign import PLAN_FILE, read_campaign
from senet_repro.results.plan import (
    PlannedRun,
    name_plan,
    plan_run,
    read_sweep_plans,
    write_plan,
)
from senet_repro.results.run_folder import RunFolder


def write_plans(points: Sequence[Point]) -> None:
    """Write what a sweep is going to train, in each results folder that it goes to."""
    for results_dir, runs in _plan_runs(points).items():
        write_plan(results_dir, runs)


def print_plans(points: Sequence[Point]) -> None:
    """Print which plans a sweep would write before its first run, or has written already."""
    for results_dir, runs in _plan_runs(points).items():
        path = name_plan(results_dir, runs)
        tables = list(dict.fromkeys(run.table for run in runs if run.table is not None))
        seeds = name_seeds(sorted({run.seed for run in runs}))
        of_tables = ""
        if tables:
            of_tables = f" of {join_words(tables, 'and')}"
        plans, _ = read_sweep_plans(results_dir)
        when = "to be written before the first run"
        if path in plans:
            when = f"written at {plans[path].written_at}"
        print_text(f"Plan: {count_noun(len(runs), 'run')}{of_tables}, {seeds}; {path}, {when}.")


def say_unplanned(runs: Sequence[Run]) -> None:
    """Say on standard error how many runs are to be trained that the plan of their campaign does not hold.

    Raises:
        ConfigError: the plan is damaged.
    """
    by_results_dir: dict[Path, list[Run]] = {}
    for run in runs:
        if not RunFolder.of(run).record_file.exists():
            by_results_dir.setdefault(Path(run.results_dir), []).append(run)
    for results_dir, pending in by_results_dir.items():
        campaign = read_campaign(results_dir)
        if campaign is None:
            continue
        unplanned = [
            run
            for run in pending
            if campaign.describe_plan(run_dir(run).parent.name, run.seed) is None
        ]
        if unplanned:
            verb = choose_form(len(unplanned), "is", "are")
            print_text(
                f"senet_repro: {len(unplanned)} of {count_noun(len(pending), 'run')} to train {verb} not planned in "
                f"{results_dir / PLAN_FILE}: tables will show and not count what is unplanned",
                file=sys.stderr,
            )


def _plan_runs(points: Sequence[Point]) -> dict[Path, list[PlannedRun]]:
    """Return the runs of the points as plans hold them, by their results folders."""
    plans: dict[Path, list[PlannedRun]] = {}
    for point in points:
        runs = plans.setdefault(Path(point.run.results_dir), [])
        # A dry command tells of the plan that the other one writes.
        overrides = [text for text in point.overrides if not text.startswith("dry=")]
        runs.append(plan_run(point.run, overrides))
    return plans
