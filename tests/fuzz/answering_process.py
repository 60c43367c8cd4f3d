"""A process that answers many command lines, one after another, as `python -m senet_repro` would each.

Standard input holds a list of command lines as JSON, and standard output gets a line of JSON for each. Everything is
real but the training itself: where it would begin, a record is written for the run at once.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from senet_repro.cli import job
from senet_repro.cli.main import main
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.results.record import Record
from tests.folders import leave_record
from tests.records import record_of

PARENT = Path.cwd()

trained: list[dict[str, Any]] = []


def record_at_once(
    run: Run,
    report: Callable[[str], None],
    wait: bool = True,
    *,
    overrides: Sequence[str] | None = None,
) -> tuple[Path, Record]:
    """Leave a run's record in its folder, in place of `train_to_record`."""
    del report, wait, overrides
    folder = run_dir(run)
    record = record_of(run, seed=run.seed, top1=10.0)
    leave_record(run, record)
    trained.append(asdict(run))
    return folder, record


def answer_line(words: Sequence[str]) -> dict[str, Any]:
    """Answer one command line, in an empty folder: its exit code, what it printed and left, and what it took."""
    trained.clear()
    folder = Path(tempfile.mkdtemp(dir=PARENT))
    os.chdir(folder)
    sys.argv = ["senet_repro", *words]
    out, err = io.StringIO(), io.StringIO()
    started_s = time.process_time()
    code: Any = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
    return {
        "words": words,
        "exit_code": code,
        "out": out.getvalue(),
        "err": err.getvalue(),
        "trained": list(trained),
        "left": sorted(path.name for path in folder.iterdir()),
        "cpu_s": time.process_time() - started_s,
        "has_torch": "torch" in sys.modules,
    }


def answer_lines() -> None:
    """Answer the command lines of standard input."""
    job.train_to_record = record_at_once  # type: ignore[assignment]
    for words in json.load(sys.stdin):
        print(json.dumps(answer_line(words)), flush=True)


if __name__ == "__main__":
    answer_lines()
