"""The default verb: train one point of the grid, or sweep many."""

from __future__ import annotations

import sys
import traceback

from senet_repro.config.canonical import run_dir
from senet_repro.config.composition import application
from senet_repro.config.schema import ConfigError, Run
from senet_repro.config.tables import label
from senet_repro.training.execute import RunFailed, execute

EXPECTED = (ConfigError, RunFailed, ArithmeticError, OSError)


def main() -> int:
    """Train what the command line asks for; 0 if every run has its record, 1 if one failed, 2 if one cannot be."""
    failures: dict[str, Exception] = {}

    def task(run: Run) -> None:
        try:
            _train(run)
        except Exception as error:
            failures[str(run_dir(run))] = error
            if not isinstance(error, EXPECTED):
                traceback.print_exc()
            raise  # Hydra goes on with the sweep and raises the first error at its end

    try:
        application(task)
    except Exception:
        if not failures:
            raise
        return _report(failures)
    return 0


def _train(run: Run) -> None:
    path, record = execute(run, lambda line: print(line, file=sys.stderr))
    table = f"{label(run.table)}  " if run.table else ""
    errors = f"top-1 err {record.metrics['top1_err_pct']:.2f} %  top-5 err {record.metrics['top5_err_pct']:.2f} %"
    print(f"{table}{record.name} seed {record.seed}  {errors}", file=sys.stderr)
    print(path, flush=True)


def _report(failures: dict[str, Exception]) -> int:
    """Name every failed run and why; the exit code is the worst of them."""
    print(f"senet_repro: {len(failures)} {'run' if len(failures) == 1 else 'runs'} failed", file=sys.stderr)
    for folder, error in failures.items():
        print(f"  {folder}: {error or type(error).__name__}", file=sys.stderr)
    return 2 if any(isinstance(error, ConfigError | OSError) for error in failures.values()) else 1
