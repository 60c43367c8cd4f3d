"""The base classes of a task: everything that training does alike for each of them (training floor)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torchmetrics import Metric, MetricCollection

from senet_repro.config.schema import Recipe
from senet_repro.training.schedule import adapt_to_device, build_optimizer, build_schedule

IMAGES = "images"
"""The name under which a module counts images, beside the metrics of its task."""

_TRAIN_PREFIX = "train_"


class ImageOutcomes(Protocol):
    """Outcomes of an evaluation, image by image, that are kept beside the record."""

    def write_into(self, folder: Path) -> None:
        """Write it into a run's folder, whole or not at all."""
        ...


class ImageCount(Metric):
    """Count the images of all batches over all devices."""

    total: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, images: int) -> None:
        """Count a batch of so many images."""
        self.total += images

    def compute(self) -> Tensor:
        """Return the number of images, int64 of shape ()."""
        return self.total


class TaskData(pl.LightningDataModule):
    """The data of a run, as a task hands them to training."""

    @property
    @abstractmethod
    def num_eval_images(self) -> int:
        """Number of images that an evaluation counts, each once; known once the data are set up."""

    @property
    @abstractmethod
    def skipped(self) -> dict[str, list[str]]:
        """The images that were left out, by the part of the set they belong to; empty if none were."""

    @abstractmethod
    def verify(self, pause: Callable[[], None]) -> None:
        """Look at every image where the settings ask for it; `pause` is called every few images, and may raise."""


class TaskModule(pl.LightningModule):
    """Train and evaluate a network by a recipe; a subclass adds the loss and the step of its task.

    A subclass hands its metrics over by name, `loss` among them, and writes `training_step` and `validation_step`. Each
    updates its collection, `train_metrics` or `eval_metrics`, with `images=` and whatever its own metrics ask for.
    Where training and evaluation measure different things, it hands over `train_metrics` by themselves. Metrics that
    are no sums over batches it adds in `close_evaluation`, and names in `measured_metrics`.

    After each epoch `train_results` and `eval_results` hold the metrics over all devices by name, and `train_images`
    and `eval_images` how many images they are made of.

    A task whose evaluation has an outcome for each image returns them from `gather_outcomes`. They are asked for where
    `keeps_outcomes` is true, which is set before each evaluation, and stand in `eval_outcomes` afterwards.

    Within an epoch a checkpoint keeps the sums of the metrics and the states of the random generators, so that a run
    which is resumed there goes on bit by bit as if it had not been stopped.
    """

    def __init__(
        self,
        net: nn.Module,
        recipe: Recipe,
        seed: int,
        metrics: Mapping[str, Metric],
        train_metrics: Mapping[str, Metric] | None = None,
    ) -> None:
        """Measure `metrics` in evaluations, and in training `train_metrics`; None: the same."""
        super().__init__()
        self.net = net
        self.recipe = recipe
        self.seed = seed
        # Compute groups would merge metrics whose sums happen to be equal after the first batch.
        self.eval_metrics = MetricCollection(
            {**metrics, IMAGES: ImageCount()}, compute_groups=False
        )
        if train_metrics is None:
            self.train_metrics = self.eval_metrics.clone(prefix=_TRAIN_PREFIX)
        else:
            self.train_metrics = MetricCollection(
                {**train_metrics, IMAGES: ImageCount()}, compute_groups=False, prefix=_TRAIN_PREFIX
            )
        self.train_results: dict[str, float] = {}
        self.eval_results: dict[str, float] = {}
        self.train_images = 0
        self.eval_images = 0
        self.keeps_outcomes = False
        self.eval_outcomes: ImageOutcomes | None = None
        self.plateau: ReduceLROnPlateau | None = None
        self._is_training_epoch = False
        self._resumed: dict[str, Any] = {}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return SGD and its schedule: by step, or at plateaus of the evaluation loss.

        A plateau schedule reads the loss of the very images whose errors are reported, as the paper's does (Table 3):
        its figures have chosen their own drops, and are no test on images that training never saw.
        """
        optimizer = build_optimizer(self.net.parameters(), self.recipe)
        schedule = self.recipe.schedule
        if schedule.kind == "plateau":
            self.plateau = ReduceLROnPlateau(
                optimizer, factor=schedule.factor, patience=schedule.patience_epochs
            )
            return optimizer
        lr_factor = build_schedule(schedule)
        steps = self.trainer.estimated_stepping_batches
        by_step = LambdaLR(optimizer, lambda step: lr_factor(step / steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": by_step, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the memory of a plateau schedule and, within an epoch, the sums and random states so far."""
        if self.plateau:
            checkpoint["plateau"] = self.plateau.state_dict()
        if self._is_training_epoch:
            checkpoint["epoch_so_far"] = {
                "metrics": sum_states(self.train_metrics),
                "random": gather_random_states(self),
            }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep both for the start of training, since the schedule does not exist yet."""
        for key in ("plateau", "epoch_so_far"):
            if key in checkpoint:
                self._resumed[key] = checkpoint[key]

    def on_train_start(self) -> None:
        """Give a resumed run back its schedule and, within an epoch, its sums and random states."""
        for optimizer in self.trainer.optimizers:
            adapt_to_device(optimizer)
        if self.plateau and "plateau" in self._resumed:
            self.plateau.load_state_dict(self._resumed["plateau"])
        so_far = self._resumed.get("epoch_so_far")
        if so_far is None:
            return
        # Lightning does not begin an epoch that a checkpoint is in the middle of.
        self.on_train_epoch_start()
        # The sums are those of all devices together, so that one device alone goes on from them.
        if self.global_rank == 0:
            restore_states(self.train_metrics, so_far["metrics"])
        restore_random_states(self, so_far["random"])

    def on_train_epoch_start(self) -> None:
        """Seed the epoch by seed, epoch and device, so that resuming repeats what a network draws in it."""
        draw = self.current_epoch * self.trainer.world_size + self.global_rank
        torch.manual_seed(self.seed + 1_000_003 * (draw + 1))
        self.train_metrics.reset()
        self._is_training_epoch = True

    def on_validation_epoch_start(self) -> None:
        """Close the metrics of the training epoch, and let every device evaluate the network of device 0."""
        # An evaluation by itself follows no training epoch.
        if self._is_training_epoch:
            self.train_results = close_metrics(self.train_metrics)
            self.train_images = round(self.train_results.pop(_TRAIN_PREFIX + IMAGES))
            self._is_training_epoch = False
        self.keeps_outcomes = self._is_last_evaluation()
        if self.trainer.world_size > 1:
            # Batch-norm statistics differ from device to device, and device 0's are saved.
            for buffer in self.net.buffers():
                torch.distributed.broadcast(buffer, 0)

    def on_validation_epoch_end(self) -> None:
        """Close the metrics of the evaluation, and hand its loss to a plateau schedule."""
        self.eval_results = self.close_evaluation()
        self.eval_outcomes = self.gather_outcomes() if self.keeps_outcomes else None
        if self.plateau:
            # Lightning would step it only after the epoch's checkpoint, and a resumed run would miss the drop.
            self.plateau.step(self.eval_results["loss"])

    @property
    def measured_metrics(self) -> set[str]:
        """The names of the metrics that `close_evaluation` returns."""
        return {str(name) for name in self.eval_metrics}

    def close_evaluation(self) -> dict[str, float]:
        """Return the metrics of an evaluation over all devices by name, and note how many images it counted.

        Every process has to call this, before `gather_outcomes`.
        """
        results = close_metrics(self.eval_metrics)
        self.eval_images = round(results.pop(IMAGES))
        return results

    def gather_outcomes(self) -> ImageOutcomes | None:
        """Return the outcome of every evaluation image, over all devices and in the order of the set.

        Every process has to call this. None is returned by a task that keeps no outcomes.
        """
        return None

    def _is_last_evaluation(self) -> bool:
        """Return whether this evaluation is the run's result: that of its last epoch, or one by itself."""
        trainer = self.trainer
        if trainer.state.fn != TrainerFn.FITTING:
            return True
        return trainer.current_epoch + 1 == trainer.max_epochs


def close_metrics(collection: MetricCollection) -> dict[str, float]:
    """Return the value of each metric over all devices by name, and let the metrics begin anew."""
    values = {name: float(value) for name, value in collection.compute().items()}
    collection.reset()
    return values


def sum_states(collection: MetricCollection) -> dict[str, dict[str, Any]]:
    """Return the states of each metric, summed over all devices; every process has to call this."""
    states = {}
    for name, metric in collection.items(keep_base=True):
        with metric.sync_context():
            states[name] = dict(metric.metric_state)
    return states


def restore_states(collection: MetricCollection, states: Mapping[str, Mapping[str, Any]]) -> None:
    """Let each metric go on from the states that `sum_states` returned."""
    for name, metric in collection.items(keep_base=True):
        for key, value in states[name].items():
            setattr(metric, key, value.to(metric.device))


def gather_random_states(module: pl.LightningModule) -> dict[str, Tensor]:
    """Return the states of the generators that a network draws from, each (devices, bytes), uint8 on the CPU."""
    states = {"cpu": torch.get_rng_state()}
    if module.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(module.device)
    gathered = {}
    for name, state in states.items():
        rows = torch.as_tensor(module.all_gather(state.to(module.device)))
        # A single device gathers no dimension of devices.
        gathered[name] = rows.cpu().view(-1, len(state))
    return gathered


def restore_random_states(module: pl.LightningModule, states: Mapping[str, Tensor]) -> None:
    """Let the generators go on from what `gather_random_states` returned.

    A device that was not there then keeps the seed that its epoch began with.
    """
    rank = module.global_rank
    if rank >= len(states["cpu"]):
        return
    torch.set_rng_state(states["cpu"][rank].contiguous())
    if "cuda" in states and module.device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"][rank].contiguous(), module.device)
