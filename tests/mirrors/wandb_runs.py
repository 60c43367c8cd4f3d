"""Runs of logger=wandb as training leaves them, without training."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.schema import Run
from senet_repro.results.epochs import append_epoch
from senet_repro.results.record import write_record
from senet_repro.results.run_folder import RunFolder
from tests.records import record_of


def leave_run(
    results_dir: Path,
    *overrides: str,
    epochs: int = 2,
    seed: int = 0,
    logger: str = "wandb",
    is_finished: bool = True,
) -> Run:
    """Write the settings, epochs and record of a run."""
    run = compose([*overrides, f"logger={logger}", f"seed={seed}", f"results_dir={results_dir}"])
    folder = RunFolder(run_dir(run))
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.epochs_file.unlink(missing_ok=True)
    folder.write_settings(asdict(run))
    record = record_of(run, seed=seed, top1=3.0 + 0.1 * seed)
    for epoch in range(1, epochs + 1):
        metrics: dict[str, float] = {"loss": 1 / epoch, "top1_err_pct": 10.0 / epoch}
        # The last epoch is the result.
        if is_finished and epoch == epochs:
            metrics = record.metrics
        append_epoch(folder.path, {"epoch": epoch, **metrics})
    if is_finished:
        write_record(folder.path, record)
    return run
