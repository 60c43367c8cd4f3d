"""The Lightning module of classification: cross-entropy, top-1 and top-5 error (tasks floor)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MetricCollection

from senet_repro.config.schema import Recipe
from senet_repro.data.batches import Batch
from senet_repro.tasks.classification.measures import rank_hits
from senet_repro.tasks.classification.metrics import build_measures
from senet_repro.training.task_module import TaskModule


class Classification(TaskModule):
    """Train a network to name the class of an image, and evaluate it."""

    def __init__(self, net: nn.Module, recipe: Recipe, seed: int) -> None:
        super().__init__(net, recipe, seed, build_measures())

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """Return the batch's mean loss; images (N, 3, H, W) normalised, labels (N,)."""
        images, labels = batch
        logits = self.net(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        _count_batch(self.train_metrics, loss, logits, labels)
        return loss

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Count a batch of evaluation images."""
        images, labels = batch
        logits = self.net(images)
        # Without label smoothing, so that recipes with and without it can be compared.
        loss = F.cross_entropy(logits, labels)
        _count_batch(self.eval_metrics, loss, logits, labels)


def _count_batch(metrics: MetricCollection, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
    """Hand a batch to every metric: each takes the arguments that its `update` names."""
    metrics.update(
        images=len(labels),
        loss=loss,
        logits=logits,
        labels=labels,
        hits=rank_hits(logits, labels),
    )
