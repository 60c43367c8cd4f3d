"""What happens around each epoch: metrics to the disk, a line to the user, a copy to the mirror (training floor)."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import pytorch_lightning as pl
import torch

from senet_repro.config.canonical import run_key, run_name
from senet_repro.config.schema import Run
from senet_repro.data.module import ImageData
from senet_repro.results.metrics import append_epoch, keep_epochs
from senet_repro.results.store import write_status
from senet_repro.training.classification import Classification, errors
from senet_repro.training.mirror import Mirror, open_mirror


class Diverged(ArithmeticError):  # noqa: N818 - it reads as the sentence it prints
    """The training loss stopped being a finite number."""


class EpochLog(pl.Callback):
    """Times each epoch, checks its loss and writes its metrics before the checkpoint is written.

    Raises:
        Diverged: the epoch's training loss is not finite.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.folder = folder
        self.mirror = Mirror()
        self.progress = Progress(f"{run_name(run)} seed {run.seed}", run.recipe.epochs)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget what a killed attempt wrote after its last checkpoint, and begin the copy."""
        if trainer.is_global_zero:
            self.mirror = open_mirror(self.run, self.folder)
            for epoch in keep_epochs(self.folder, trainer.current_epoch):
                self.mirror.log(epoch)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._started_s = time.perf_counter()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Read the clock between training and evaluation."""
        if trainer.strategy.root_device.type == "cuda":
            torch.cuda.synchronize()
        self._trained_s = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch down."""
        assert isinstance(pl_module, Classification)
        epoch = trainer.current_epoch
        train, evaluation = errors(pl_module.train_sums, "train_"), errors(pl_module.eval_sums, "")
        if not math.isfinite(train["train_loss"]) or not math.isfinite(evaluation["loss"]):
            raise Diverged(f"the loss was not finite in epoch {epoch + 1} of {self.run.recipe.epochs}; lower recipe.lr")
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ImageData)
        seen = round(pl_module.eval_sums[3])
        assert seen == data.num_test, f"evaluated {seen} of {data.num_test} images"
        if not trainer.is_global_zero:
            return
        metrics = {
            "epoch": epoch + 1,
            **train,
            **evaluation,
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
            "train_images": round(pl_module.train_sums[3]),
            "train_s": round(self._trained_s - self._started_s, 4),
            "epoch_s": round(time.perf_counter() - self._started_s, 4),
        }
        append_epoch(self.folder, metrics)
        write_status(self.folder, run_key=run_key(self.run), seed=self.run.seed, state="running", epoch=epoch + 1)
        self.mirror.log(metrics)
        self.progress.show(metrics)


class Progress:
    """One line per run on standard error: rewritten in a terminal, repeated every ten seconds elsewhere."""

    def __init__(self, title: str, epochs: int) -> None:
        self.title = title
        self.epochs = epochs
        self._shown_s = -math.inf

    def show(self, metrics: dict[str, float]) -> None:
        """Tell how far the run is, its error, its pace and the time it still needs."""
        epoch, now_s = int(metrics["epoch"]), time.monotonic()
        terminal, last = sys.stderr.isatty(), epoch == self.epochs
        if not (terminal or last or now_s - self._shown_s >= 10):
            return
        self._shown_s = now_s
        left_s = (self.epochs - epoch) * metrics["epoch_s"]
        line = (
            f"{self.title}  epoch {epoch}/{self.epochs}  loss {metrics['train_loss']:.3f}  "
            f"top-1 err {metrics['top1_err_pct']:.2f} %  "
            f"{metrics['train_images'] / metrics['train_s']:,.0f} images/s  "
            + (f"{clock(left_s)} left" if not last else "done")
        )
        print(
            f"\r\x1b[K{line}" if terminal else line,
            end="" if terminal and not last else "\n",
            file=sys.stderr,
            flush=True,
        )


def clock(seconds: float) -> str:
    """A duration as a person says it: 42 s, 7 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
