"""What happens around each epoch: metrics to the disk, a line to the user, a copy to the mirror (training floor)."""

from __future__ import annotations

import math
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
from senet_repro.training.progress import Progress


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
        """Start the clock and note the learning rate."""
        self._lr = trainer.optimizers[0].param_groups[0]["lr"]
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
        if seen != data.num_test:
            raise RuntimeError(f"evaluated {seen} of {data.num_test} images")
        if not trainer.is_global_zero:
            return
        metrics = {
            "epoch": epoch + 1,
            **train,
            **evaluation,
            "lr": self._lr,  # of the epoch's first step
            "train_images": round(pl_module.train_sums[3]),
            "train_s": round(self._trained_s - self._started_s, 4),
            "epoch_s": round(time.perf_counter() - self._started_s, 4),
        }
        append_epoch(self.folder, metrics)
        write_status(self.folder, run_key=run_key(self.run), seed=self.run.seed, state="running", epoch=epoch + 1)
        self.mirror.log(metrics)
        self.progress.show(metrics)
