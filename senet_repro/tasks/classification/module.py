"""The Lightning module of classification: cross-entropy, top-1 and top-5 error (tasks floor)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MetricCollection

from senet_repro.config.schema import Recipe
from senet_repro.data.batches import Batch
from senet_repro.results.outcomes import Outcomes
from senet_repro.tasks.classification.measures import find_hits, rank_classes
from senet_repro.tasks.classification.metrics import build_measures
from senet_repro.tasks.classification.outcome_log import OutcomeLog
from senet_repro.training.task_module import TaskModule


class Classification(TaskModule):
    """Train a network to name the class of an image, and evaluate it."""

    def __init__(self, net: nn.Module, recipe: Recipe, seed: int) -> None:
        super().__init__(net, recipe, seed, build_measures())
        self._outcomes = OutcomeLog(self.device)

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """Return the batch's mean loss; images (N, 3, H, W) normalised, labels (N,)."""
        images, labels = batch
        logits = self.net(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        _count_batch(self.train_metrics, loss, logits, labels, rank_classes(logits))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin the outcomes anew, with everything that each task's evaluation begins with."""
        super().on_validation_epoch_start()
        self._outcomes = OutcomeLog(self.device)

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Count a batch of evaluation images."""
        images, labels = batch
        logits = self.net(images)
        # Without label smoothing, so that recipes with and without it can be compared.
        loss = F.cross_entropy(logits, labels)
        likeliest = rank_classes(logits)
        _count_batch(self.eval_metrics, loss, logits, labels, likeliest)
        if self.keeps_outcomes:
            self._outcomes.add_batch(labels, likeliest)

    def gather_outcomes(self) -> Outcomes:
        """Return label and likeliest classes of every evaluation image, in the order of the set."""
        return self._outcomes.gather_images(self.trainer.world_size)


def _count_batch(
    metrics: MetricCollection, loss: Tensor, logits: Tensor, labels: Tensor, likeliest: Tensor
) -> None:
    """Hand a batch to every metric: each takes the arguments that its `update` names."""
    metrics.update(
        images=len(labels),
        loss=loss,
        logits=logits,
        labels=labels,
        hits=find_hits(likeliest, labels),
    )
