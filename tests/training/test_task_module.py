"""What a task's module measures in training and in evaluations: the same, or each its own."""

from __future__ import annotations

import torch
from torch import nn

from senet_repro.tasks.classification.metrics import build_measures
from senet_repro.training.measures import MeanLoss
from senet_repro.training.task_module import IMAGES, TaskModule
from tests.records import compose_once


class Detector(TaskModule):
    """Measures parts of its loss in training, and in evaluations a figure that is no sum over batches."""

    def __init__(self) -> None:
        parts = {"loss": MeanLoss(), "box_loss": MeanLoss()}
        super().__init__(nn.Linear(1, 1), compose_once().recipe, 0, {}, train_metrics=parts)

    @property
    def measured_metrics(self) -> set[str]:
        return {"ap_pct"}

    def close_evaluation(self) -> dict[str, float]:
        return {**super().close_evaluation(), "ap_pct": 12.5}


def list_names(module: TaskModule) -> list[set[str]]:
    collections = (module.eval_metrics, module.train_metrics)
    return [{str(name) for name in each.keys(keep_base=False)} for each in collections]


def test_training_measures_what_evaluations_do_unless_it_has_metrics_of_its_own() -> None:
    module = TaskModule(nn.Linear(1, 1), compose_once().recipe, 0, build_measures())
    evaluated = {*build_measures(), IMAGES}
    assert list_names(module) == [evaluated, {f"train_{name}" for name in evaluated}]
    assert module.measured_metrics == evaluated
    assert list_names(Detector()) == [{IMAGES}, {"train_loss", "train_box_loss", "train_images"}]


def test_an_evaluation_closes_with_figures_that_are_no_sums() -> None:
    module = Detector()
    for images in (3, 2):
        module.eval_metrics.update(images=images)
    assert module.close_evaluation() == {"ap_pct": 12.5}
    assert module.eval_images == 5
    # The next one begins anew.
    module.eval_metrics.update(images=4)
    module.close_evaluation()
    assert module.eval_images == 4


def test_metrics_of_training_alone_are_sums_over_its_batches() -> None:
    module = Detector()
    for loss in (1.0, 3.0):
        module.train_metrics.update(images=2, loss=torch.tensor(loss))
    values = {name: float(value) for name, value in module.train_metrics.compute().items()}
    assert values == {"train_loss": 2.0, "train_box_loss": 2.0, "train_images": 4.0}
