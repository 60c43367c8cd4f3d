"""The default verb: train one point of the grid, or sweep many."""

from __future__ import annotations

import sys

from senet_repro.config.canonical import run_dir
from senet_repro.config.composition import application
from senet_repro.config.schema import ConfigError, Run
from senet_repro.config.tables import label
from senet_repro.training.execute import RunFailed, execute


def main() -> int:
    """Train what the command line asks for; 0 if every run has its record, 1 if one failed, 2 if one cannot be."""
    failures: dict[str, str] = {}

    def task(run: Run) -> None:
        try:
            _train(run)
        except (RunFailed, ConfigError, ArithmeticError) as error:
            failures[str(run_dir(run))] = str(error)
            raise

    try:
        application(task)
    except (RunFailed, ArithmeticError, ConfigError) as error:
        if not failures:
            raise
        print(f"senet_repro: {len(failures)} failed", file=sys.stderr)
        for folder, reason in failures.items():
            print(f"  {folder}: {reason}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    return 0


def _train(run: Run) -> None:
    path, record = execute(run, lambda line: print(line, file=sys.stderr))
    table = f"{label(run.table)}  " if run.table else ""
    errors = f"top-1 err {record.metrics['top1_err_pct']:.2f} %  top-5 err {record.metrics['top5_err_pct']:.2f} %"
    print(f"{table}{record.name} seed {record.seed}  {errors}", file=sys.stderr)
    print(path, flush=True)
