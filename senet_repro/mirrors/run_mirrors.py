"""Copies of a run's metrics for other eyes; training neither waits for them nor fails with them (training floor)."""

from __future__ import annotations

import csv
import io
import queue
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from senet_repro.config.identity import run_key, run_name
from senet_repro.config.schema import Run
from senet_repro.core.files import write_text
from senet_repro.mirrors.wandb_home import begin, in_a_line, keep_in, restart
from senet_repro.results.epochs import read_epochs
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder

_FINISH_TIMEOUT_S = 30


class Mirror:
    """Copies nothing: metrics.jsonl and record.json are enough."""

    def log(self, metrics: dict[str, Any]) -> None:
        """Copy an epoch's metrics."""

    def finish(self, record: Record) -> None:
        """Copy the run's result."""

    def close(self) -> None:
        """End the copy, finished or not."""


class CsvMirror(Mirror):
    """metrics.csv beside metrics.jsonl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def log(self, metrics: dict[str, Any]) -> None:
        """Write all epochs so far, so that a resumed run has each once."""
        text = io.StringIO()
        writer = csv.DictWriter(text, metrics.keys())
        writer.writeheader()
        writer.writerows(read_epochs(self.folder))
        write_text(RunFolder(self.folder).epochs_csv_file, text.getvalue())


class WandbMirror(Mirror):
    """A run on Weights & Biases, fed by a thread of its own; offline, in the run's folder, unless a key is there."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.folder = folder
        keep_in(folder)
        self._jobs: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="wandb", daemon=True)
        self._thread.start()

    def log(self, metrics: dict[str, Any]) -> None:
        """Queue an epoch's metrics."""
        self._jobs.put(("log", metrics))

    def finish(self, record: Record) -> None:
        """Queue the run's row of the error table."""
        self._jobs.put(("finish", record))

    def close(self) -> None:
        """Give the thread a moment to hand over what is queued."""
        self._jobs.put(("close", None))
        self._thread.join(_FINISH_TIMEOUT_S)

    def _serve(self) -> None:
        try:
            self._copy()
        except Exception as error:
            print(
                f"W&B: {in_a_line(error)}; the run goes on, its records are complete without it",
                file=sys.stderr,
            )
            restart()

    def _copy(self) -> None:
        copy = self._begin()
        import wandb

        code = 1
        try:
            while True:
                kind, data = self._jobs.get()
                if kind == "log":
                    copy.log(data)
                elif kind == "finish":
                    row = result_row(data)
                    copy.log({"result": wandb.Table(columns=list(row), data=[list(row.values())])})
                    copy.summary.update(row)
                    code = 0
                else:
                    return
        finally:
            copy.finish(exit_code=code)  # or the next run of this process would go on in this one

    def _begin(self) -> Any:
        copy = begin(
            self.folder,
            project=self.run.logger.project,
            group=self.run.table.name if self.run.table else self.run.protocol.name,
            name=f"{run_name(self.run)} seed {self.run.seed}",
            config={**asdict(self.run), "run_key": run_key(self.run)},
        )
        copy.define_metric("*", step_metric="epoch")
        return copy


def result_row(record: Record) -> dict[str, Any]:
    """A run's row of the error table: its point of the grid, errors in percent, size and cost."""
    axes = {key: str(value) for key, value in (record.identity["se"] or {"r": "none"}).items()}
    return {
        "run": record.name,
        "seed": record.seed,
        **{
            axis: axes.get(axis, "")
            for axis in ("r", "squeeze", "excitation", "stages", "placement")
        },
        "top1_err_pct": record.metrics["top1_err_pct"],
        "top5_err_pct": record.metrics["top5_err_pct"],
        "params": record.params,
        "macs": record.macs,
        "epochs": record.epochs,
        "wall_s": record.wall_s,
    }


def open_mirror(run: Run, folder: Path) -> Mirror:
    """The mirror that `logger` names."""
    if run.logger.name == "wandb":
        return WandbMirror(run, folder)
    return CsvMirror(folder) if run.logger.name == "csv" else Mirror()
