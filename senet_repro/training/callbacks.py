"""Everything around a step and an epoch: metrics, checkpoints, a line to the user, a copy (training floor)."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch

from senet_repro.config.schema import DETECTION, Run
from senet_repro.core.errors import Diverged, Stopped
from senet_repro.core.signals import Deferral
from senet_repro.mirrors.base import Mirror, open_mirror
from senet_repro.results.epochs import append_epoch, keep_epochs
from senet_repro.results.record import Record
from senet_repro.results.run_folder import RunFolder
from senet_repro.training.progress import Progress
from senet_repro.training.task import Task
from senet_repro.training.task_module import TaskData, TaskModule

# Devices ask each other this often whether one of them has noted a signal: each time they wait for each other.
_AGREE_STEPS = 10


class EpochLog(pl.Callback):
    """Times each epoch, checks its metrics and writes them before the checkpoint is written.

    Everything that the run's mirror receives passes through here.

    A network whose gates have no upper bound (excitation=relu) may train well and still overflow in the evaluations of
    early epochs: there batch norm goes by running statistics, which lag behind weights that change fast, and the gates
    multiply the error from block to block. Such an evaluation has no figures (null in metrics.jsonl), and the training
    goes on. That of the last epoch is the run's result, so there it ends the run.

    Raises:
        Diverged: a metric of the training is not finite, or the network itself, or a metric of an evaluation that
            something depends on: the last epoch's, and under a plateau schedule every one.
    """

    def __init__(self, run: Run, task: Task, folder: RunFolder) -> None:
        self.run = run
        self.folder = folder
        self.mirror = Mirror(run, folder.path)
        self.progress = Progress(run, task, folder.path)
        self._started_s = 0.0
        self._trained_s = 0.0
        # The learning rate of the epoch's first step.
        self._lr = 0.0
        # Seconds that an earlier attempt spent on an epoch which its checkpoint is in the middle of.
        self._so_far_s = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run resumed within an epoch could not find out again."""
        return {"lr": self._lr, "so_far_s": time.perf_counter() - self._started_s}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the epoch that the checkpoint is in the middle of."""
        self._lr = state_dict["lr"]
        self._so_far_s = state_dict["so_far_s"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget epochs that a killed attempt wrote after its last checkpoint, and begin the mirror's copy."""
        self._started_s = time.perf_counter() - self._so_far_s
        if trainer.is_global_zero:
            self.mirror = open_mirror(self.run, self.folder.path)
            for epoch in keep_epochs(self.folder.path, trainer.current_epoch):
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
        """Report the progress within the epoch, if the last report is old enough."""
        if not trainer.is_global_zero or not self.progress.is_due:
            return
        taken = batch_idx + 1
        steps = taken / trainer.accumulate_grad_batches
        self.progress.report_within_epoch(
            trainer.current_epoch,
            share=taken / trainer.num_training_batches,
            images=steps * self.run.recipe.batch_size,
            took_s=time.perf_counter() - self._started_s,
        )

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Read the clock between training and evaluation."""
        # A GPU works through its queue after the last step has returned.
        if trainer.strategy.root_device.type == "cuda":
            torch.cuda.synchronize()
        self._trained_s = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check the epoch's metrics and write them to the disk, the user and the mirror."""
        assert isinstance(pl_module, TaskModule)
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, TaskData)
        number = trainer.current_epoch + 1
        self._refuse_infinite(pl_module.train_results, number)
        evaluation = self._check_evaluation(pl_module, number)
        if pl_module.eval_images != data.num_eval_images:
            raise RuntimeError(
                f"evaluated {pl_module.eval_images} of {data.num_eval_images} images"
            )
        if not trainer.is_global_zero:
            return
        epoch = {
            "epoch": number,
            **pl_module.train_results,
            **evaluation,
            "lr": self._lr,
            "train_images": pl_module.train_images,
            "train_s": round(self._trained_s - self._started_s, 4),
            "epoch_s": round(time.perf_counter() - self._started_s, 4),
        }
        # Before the epoch's line: whoever finds the line finds the outcomes that it counts.
        if pl_module.eval_outcomes is not None:
            pl_module.eval_outcomes.write_into(self.folder.path)
        append_epoch(self.folder.path, epoch)
        self.progress.report_epoch(epoch)
        self.mirror.copy_epoch(epoch)

    def copy_record(self, record: Record) -> None:
        """Hand the finished run's record to the mirror."""
        self.mirror.copy_record(record)

    def close_mirror(self) -> None:
        """End the mirror's copy, whether the run is finished or not."""
        self.mirror.close()

    def _check_evaluation(self, module: TaskModule, epoch: int) -> Mapping[str, float | None]:
        """Return the figures of an evaluation: all None where it overflowed and nothing depends on it."""
        results = module.eval_results
        if all(map(math.isfinite, results.values())):
            return results
        is_depended_on = epoch == self.run.recipe.epochs or module.plateau is not None
        if is_depended_on or not _is_finite(module.net):
            self._refuse_infinite(results, epoch)
        return dict.fromkeys(results)

    def _refuse_infinite(self, results: Mapping[str, float], epoch: int) -> None:
        for name, value in results.items():
            if not math.isfinite(value):
                mend = "lower recipe.lr"
                # Such layers scale down only what the trunk's own training made them scale.
                if self.run.task == DETECTION and self.run.detection.batch_norm == "frozen":
                    mend += ", or give init.weights of a network that was trained to its end"
                raise Diverged(
                    f"the {name.removeprefix('train_')} was not finite in epoch {epoch} of "
                    f"{self.run.recipe.epochs}; {mend}"
                )


class SafePoints(pl.Callback):
    """Writes checkpoints by the clock, and one at the end of the step in which a signal ends the run.

    The clock is looked at as epochs end. The last epoch always has its checkpoint: it is the network that a run leaves.

    Between two steps the run waits for a batch, which may never come: there a signal ends it too, a while later.

    Raises:
        Stopped: a signal was noted, and a checkpoint was written.
    """

    def __init__(self, folder: RunFolder, deferral: Deferral, pause_s: float) -> None:
        """Write a checkpoint where the last one is `pause_s` seconds old; 0: at the end of each epoch."""
        self.folder = folder
        self.deferral = deferral
        self._pause_s = pause_s
        # When the last checkpoint was written, or training began.
        self._saved_s = time.monotonic()
        # Whether nothing was trained since a step of this epoch ended, so that a checkpoint would hold whole steps.
        self._is_after_step = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Handle the signals again, which Lightning has just taken; leave if one came while the data were read."""
        self.deferral.install_handlers()
        self._leave_if_signalled(trainer)
        self._saved_s = time.monotonic()
        # A run resumed within an epoch begins none: its first batch is waited for from here on.
        self.deferral.begin_wait()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for the first batch."""
        self.deferral.begin_wait()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """End the wait for this batch."""
        self.deferral.end_wait()
        self._is_after_step = False

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
        if taken == trainer.num_training_batches:
            return
        if taken % trainer.accumulate_grad_batches == 0:
            steps = taken // trainer.accumulate_grad_batches
            if trainer.world_size == 1 or steps % _AGREE_STEPS == 0:
                self._leave_if_signalled(trainer, save=True)
            self._is_after_step = True
        self.deferral.begin_wait()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for the first batch of the evaluation."""
        self.deferral.begin_wait()

    def on_validation_batch_start(self, trainer: pl.Trainer, *_arguments: Any) -> None:
        """End the wait for this batch."""
        self.deferral.end_wait()

    def on_validation_batch_end(self, trainer: pl.Trainer, *_arguments: Any) -> None:
        """Wait for the next batch."""
        self.deferral.begin_wait()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write a checkpoint if one is due; leave with one if a signal came."""
        self.deferral.end_wait()
        is_last_epoch = trainer.current_epoch + 1 == trainer.max_epochs
        is_due = is_last_epoch or self._is_checkpoint_due(trainer)
        if is_due:
            trainer.save_checkpoint(self.folder.last_checkpoint)
            self._saved_s = time.monotonic()
        # After the last epoch the record is about to be written: the run ends by itself.
        if not is_last_epoch:
            self._leave_if_signalled(trainer, save=not is_due)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Write a checkpoint where the wait for a batch was given up, so that no whole step is lost."""
        # Several devices could only write it together, and the others may not wait.
        if not (isinstance(exception, Stopped) and self._is_after_step) or trainer.world_size > 1:
            return
        # Lightning goes on within an epoch only from a checkpoint of a step whose end it had not yet counted.
        progress = trainer.fit_loop.epoch_loop.batch_progress
        progress.total.completed -= 1
        progress.current.completed -= 1
        trainer.save_checkpoint(self.folder.last_checkpoint)

    def _is_checkpoint_due(self, trainer: pl.Trainer) -> bool:
        """Return whether the last checkpoint is old enough, on every device what the clock of the first one says."""
        is_due = time.monotonic() - self._saved_s >= self._pause_s
        if trainer.world_size > 1:
            # All of them write a checkpoint together, or wait for each other.
            is_first = trainer.is_global_zero
            is_due = trainer.strategy.reduce_boolean_decision(is_first and is_due, all=False)
        return is_due

    def _leave_if_signalled(self, trainer: pl.Trainer, save: bool = False) -> None:
        signum = self.deferral.signum
        is_signalled = signum is not None
        if trainer.world_size > 1:
            # A signal may reach one process alone, and none may leave while another waits for it.
            is_signalled = trainer.strategy.reduce_boolean_decision(is_signalled, all=False)
        if not is_signalled:
            return
        if save:
            trainer.save_checkpoint(self.folder.last_checkpoint)
        raise Stopped(signum or signal.SIGTERM)


def _is_finite(net: torch.nn.Module) -> bool:
    """Return whether every weight and running statistic of a network is a finite number."""
    return all(bool(tensor.isfinite().all()) for tensor in net.state_dict().values())
