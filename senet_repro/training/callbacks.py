"""What happens around each step and epoch: metrics, checkpoints, a line to the user, a copy to the mirror."""

from __future__ import annotations

import math
import signal
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from senet_repro.config.schema import Run
from senet_repro.core.errors import Diverged, Stopped
from senet_repro.core.signals import Deferral
from senet_repro.mirrors.base import Mirror, open_mirror
from senet_repro.results.epochs import append_epoch, keep_epochs
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks.classification.data_module import ImageData
from senet_repro.tasks.classification.module import Classification, errors
from senet_repro.training.progress import Progress

_AGREE_STEPS = 10  # devices ask each other this often whether one of them was told to stop: each time they wait


class EpochLog(pl.Callback):
    """Times each epoch, checks its loss and writes its metrics before the checkpoint is written.

    Raises:
        Diverged: the epoch's training loss is not finite.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.folder = folder
        self.mirror = Mirror(run, folder)
        self.progress = Progress(run, folder)
        self._lr = 0.0
        self._so_far_s = 0.0  # of an epoch that a checkpoint is in the middle of

    def state_dict(self) -> dict[str, Any]:
        """What a run that is resumed within an epoch would not know."""
        return {"lr": self._lr, "so_far_s": time.perf_counter() - self._started_s}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with that epoch."""
        self._lr, self._so_far_s = state_dict["lr"], state_dict["so_far_s"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget what a killed attempt wrote after its last checkpoint, and begin the copy."""
        self._started_s = time.perf_counter() - self._so_far_s
        if trainer.is_global_zero:
            self.mirror = open_mirror(self.run, self.folder)
            for epoch in keep_epochs(self.folder, trainer.current_epoch):
                self.mirror.copy_epoch(epoch)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock and note the learning rate."""
        self._lr = trainer.optimizers[0].param_groups[0]["lr"]
        self._started_s = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Let others see how far the run is."""
        if trainer.is_global_zero and self.progress.is_due:
            share = (batch_idx + 1) / trainer.num_training_batches
            steps = (batch_idx + 1) / trainer.accumulate_grad_batches
            took_s = time.perf_counter() - self._started_s
            self.progress.within_epoch(
                trainer.current_epoch, share, steps * self.run.recipe.batch_size, took_s
            )

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
            raise Diverged(
                f"the loss was not finite in epoch {epoch + 1} of {self.run.recipe.epochs}; lower recipe.lr"
            )
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
        self.progress.after_epoch(metrics)
        self.mirror.copy_epoch(metrics)


class SafePoints(pl.Callback):
    """Writes a checkpoint at the end of each epoch, and at the end of the step in which a signal ends the run.

    Raises:
        Stopped: a signal was noted, and a checkpoint was written.
    """

    def __init__(self, folder: Path, deferral: Deferral) -> None:
        self.folder = folder
        self.deferral = deferral

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Hear the signals, which Lightning has just taken, and leave if one came while the data were read."""
        self.deferral.install()
        self._leave_if_told(trainer)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Leave within an epoch, unless it is about to end: then its evaluation follows, and its checkpoint."""
        taken = batch_idx + 1
        if taken == trainer.num_training_batches or taken % trainer.accumulate_grad_batches:
            return
        if trainer.world_size == 1 or taken // trainer.accumulate_grad_batches % _AGREE_STEPS == 0:
            self._leave_if_told(trainer, save=True)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the checkpoint of the epoch; the run's end is near after the last, and needs no other."""
        trainer.save_checkpoint(RunFolder(self.folder).last_checkpoint)
        if trainer.current_epoch + 1 < (trainer.max_epochs or 0):
            self._leave_if_told(trainer)

    def _leave_if_told(self, trainer: pl.Trainer, save: bool = False) -> None:
        signum = self.deferral.signum
        told = signum is not None
        if trainer.world_size > 1:
            told = trainer.strategy.reduce_boolean_decision(told, all=False)
        if told:
            if save:
                trainer.save_checkpoint(RunFolder(self.folder).last_checkpoint)
            raise Stopped(signum or signal.SIGTERM)
