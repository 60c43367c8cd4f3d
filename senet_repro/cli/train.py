"""The default verb: train one point of the grid, or sweep many."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable

from senet_repro.cli.dry import check_weights, print_plan
from senet_repro.cli.publish import Publisher
from senet_repro.config.canonical import run_dir
from senet_repro.config.composition import Place, application
from senet_repro.config.schema import ConfigError, Run
from senet_repro.config.tables import label, selection
from senet_repro.results.record import Record
from senet_repro.training.execute import RunFailed, execute
from senet_repro.training.progress import clock, finish_line

EXPECTED = (ConfigError, RunFailed, ArithmeticError, OSError)


def main() -> int:
    """Train what the command line asks for; 0 if every run has its record, 1 if one failed, 2 if one cannot be."""
    failures: dict[str, Exception] = {}
    planned: list[Run] = []
    publisher = Publisher()

    def task(read: Callable[[], Run], place: Place) -> None:
        name = f"point {place.number} of the sweep" if place.total != 1 else "this command"
        try:
            run = read()
            name = str(run_dir(run))
            if run.dry:
                check_weights(run)
                planned.append(run)
            else:
                publisher.after(run, _train(run, place))
        except Exception as error:
            failures[name] = error
            if not isinstance(error, EXPECTED):
                traceback.print_exc()
            raise  # Hydra goes on with the sweep and raises the first error at its end

    try:
        application(task)
    except Exception:
        if not failures:
            raise
    publisher.close()
    if planned:
        print_plan(planned)
    return _report(failures) if failures else 0


def _train(run: Run, place: Place) -> Record:
    started_s = time.monotonic()
    path, record = execute(run, lambda line: print(line, file=sys.stderr))
    took_s = time.monotonic() - started_s
    at = f"[{place.number}/{place.total or '?'}] " if place.total != 1 else ""
    left_s = took_s * ((place.total or 0) - place.number)
    finish_line(
        f"{at}{record.name} seed {record.seed}  top-1 err {record.metrics['top1_err_pct']:.2f} %  "
        f"top-5 err {record.metrics['top5_err_pct']:.2f} % of {record.eval_images:,} images  {clock(took_s)}"
        + (f", about {clock(left_s)} left" if left_s >= 1 else "")
    )
    print(path, flush=True)
    if run.table and place.total == 1:
        print(f"{label(run.table)} has {len(run.table.rows)} rows: -m {selection(run.table)}", file=sys.stderr)
    return record


def _report(failures: dict[str, Exception]) -> int:
    """Name every failed run and why; the exit code is the worst of them."""
    print(f"senet_repro: {len(failures)} {'run' if len(failures) == 1 else 'runs'} failed", file=sys.stderr)
    for name, error in failures.items():
        print(f"  {name}: {str(error) or type(error).__name__}", file=sys.stderr)
    return 2 if any(isinstance(error, ConfigError | OSError) for error in failures.values()) else 1
