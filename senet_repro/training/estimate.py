"""What runs would cost, before they are trained (training floor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from senet_repro.config.schema import Run
from senet_repro.models.cost import count_runs

PASSES = 3  # a training step costs its forward pass, and about twice that backward


@dataclass(frozen=True)
class Cost:
    """Images that a run sees, and the multiply-adds of one of them."""

    train_images: int
    eval_images: int
    macs_per_image: int

    @property
    def macs(self) -> int:
        """Multiply-adds of the run: forward and backward in training, forward in evaluation."""
        return (PASSES * self.train_images + self.eval_images) * self.macs_per_image


def estimate_costs(runs: Sequence[Run]) -> list[Cost]:
    """The cost of each run on the whole of its set, all epochs together."""
    costs = []
    for run, (_, macs) in zip(runs, count_runs(runs), strict=True):
        data, batch, epochs = run.data, run.recipe.batch_size, run.recipe.epochs
        # The last incomplete batch of an epoch is not trained on.
        train_images = epochs * (data.train_images // batch) * batch
        costs.append(Cost(train_images, epochs * data.eval_images, macs))
    return costs
