"""The LightningModule: one network, one recipe, top-1 and top-5 error (training floor)."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import Strategy
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from senet_repro.config.schema import Recipe
from senet_repro.data.batches import Batch
from senet_repro.training.schedule import lr_factor, sgd


class Tally:
    """Sums over images; those of values stay on the device until an epoch ends."""

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(
            3, dtype=torch.float64, device=device
        )  # loss, top-1 hits, top-5 hits
        self.images = 0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Count a batch; `loss` is its mean, `logits` (N, classes), `labels` (N,)."""
        top5 = logits.detach().topk(min(5, logits.shape[1]), dim=1).indices
        hits = top5.eq(labels.unsqueeze(1))
        self.sums += torch.stack(
            [loss.detach().float() * len(labels), hits[:, 0].sum(), hits.sum()]
        )
        self.images += len(labels)

    def resume(self, sums: list[float]) -> None:
        """Go on from what `over_devices` gave."""
        self.sums += self.sums.new_tensor(sums[:3])
        self.images += round(sums[3])

    def over_devices(self, strategy: Strategy) -> list[float]:
        """The sums of loss, top-1 hits, top-5 hits and images over all processes."""
        sums = torch.cat([self.sums, self.sums.new_tensor([self.images])])
        return [float(value) for value in strategy.reduce(sums, reduce_op="sum")]


class Classification(pl.LightningModule):
    """Trains and evaluates `net` by `recipe`.

    After each epoch `train_sums` and `eval_sums` hold its loss sum, top-1 hits, top-5 hits and images over all devices.
    docs/lifecycle.md shows its part in resuming within an epoch.
    """

    def __init__(self, net: torch.nn.Module, recipe: Recipe, seed: int) -> None:
        super().__init__()
        self.net = net
        self.recipe = recipe
        self.seed = seed
        self.train_sums: list[float] = []
        self.eval_sums: list[float] = []
        self.plateau: ReduceLROnPlateau | None = None
        self._in_epoch = False  # in its training part
        self._resumed: dict[str, Any] = {}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """SGD, and its schedule: by step, or at plateaus of the evaluation loss."""
        optimizer = sgd(self.net.parameters(), self.recipe)
        schedule = self.recipe.schedule
        if schedule.kind == "plateau":
            self.plateau = ReduceLROnPlateau(
                optimizer, factor=schedule.factor, patience=schedule.patience_epochs
            )
            return optimizer
        factor, steps = lr_factor(schedule), self.trainer.estimated_stepping_batches
        by_step = LambdaLR(optimizer, lambda step: factor(step / steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": by_step, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what a plateau schedule remembers, and within an epoch what it has come to so far."""
        if self.plateau:
            checkpoint["plateau"] = self.plateau.state_dict()
        if self._in_epoch:
            checkpoint["epoch_so_far"] = {
                "sums": self._tally.over_devices(self.trainer.strategy),
                "random": _random_states(self),
            }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep it for the start of training: the schedule does not exist yet."""
        self._resumed = {
            key: checkpoint[key] for key in ("plateau", "epoch_so_far") if key in checkpoint
        }

    def on_train_start(self) -> None:
        """Let a resumed run remember. Lightning does not begin an epoch that a checkpoint is in the middle of."""
        if self.plateau and "plateau" in self._resumed:
            self.plateau.load_state_dict(self._resumed["plateau"])
        if "epoch_so_far" in self._resumed:
            self.on_train_epoch_start()
            if self.global_rank == 0:
                self._tally.resume(self._resumed["epoch_so_far"]["sums"])
            _resume_random(self, self._resumed["epoch_so_far"]["random"])

    def on_train_epoch_start(self) -> None:
        """Make what a network draws in an epoch a function of seed, epoch and device, so that resuming repeats it."""
        draw = self.current_epoch * self.trainer.world_size + self.global_rank
        torch.manual_seed(self.seed + 1_000_003 * (draw + 1))
        self._tally = Tally(self.device)
        self._in_epoch = True

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """The batch's mean loss; images (N, 3, H, W) normalised, labels (N,)."""
        images, labels = batch
        logits = self.net(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        self._tally.add(loss, logits, labels)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Close the training epoch's sums; let every device evaluate the network that is saved, device 0's."""
        self.train_sums = self._tally.over_devices(self.trainer.strategy)
        self._in_epoch = False
        if self.trainer.world_size > 1:
            for buffer in self.net.buffers():
                torch.distributed.broadcast(buffer, 0)
        self._tally = Tally(self.device)

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Count a batch of evaluation images; the loss is without label smoothing."""
        images, labels = batch
        logits = self.net(images)
        self._tally.add(F.cross_entropy(logits, labels), logits, labels)

    def on_validation_epoch_end(self) -> None:
        """Close the evaluation's sums and hand its loss to a plateau schedule."""
        self.eval_sums = self._tally.over_devices(self.trainer.strategy)
        if self.plateau:
            # Lightning would step it only after the epoch's checkpoint, and a resumed run would miss the drop.
            self.plateau.step(self.eval_sums[0] / self.eval_sums[3])


def _random_states(module: pl.LightningModule) -> dict[str, Tensor]:
    """The states of the generators that a network draws from, each (devices, bytes)."""
    states = {"cpu": torch.get_rng_state()}
    if module.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(module.device)
    gathered = {name: module.all_gather(state.to(module.device)) for name, state in states.items()}
    return {
        name: torch.as_tensor(rows).cpu().view(-1, len(states[name]))
        for name, rows in gathered.items()
    }


def _resume_random(module: pl.LightningModule, states: dict[str, Tensor]) -> None:
    """Go on from what `_random_states` gave; a device that was not there then begins its epoch's numbers."""
    if module.global_rank < len(states["cpu"]):
        torch.set_rng_state(states["cpu"][module.global_rank].contiguous())
        if "cuda" in states and module.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"][module.global_rank].contiguous(), module.device)


def errors(sums: list[float], prefix: str) -> dict[str, float]:
    """Loss and errors in percent from a module's sums, named by `prefix`."""
    loss, top1, top5, images = sums
    return {
        f"{prefix}loss": loss / images,
        f"{prefix}top1_err_pct": 100 * (1 - top1 / images),
        f"{prefix}top5_err_pct": 100 * (1 - top5 / images),
    }
