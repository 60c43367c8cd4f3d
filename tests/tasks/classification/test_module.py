"""What one step computes, and the losses of twenty steps that no refactor may change."""

from __future__ import annotations

import pytest
import pytorch_lightning as pl
import torch
from torch.nn import functional as F

from senet_repro.config.composition import compose
from senet_repro.tasks.classification import TASK
from senet_repro.tasks.classification.data_module import ImageData
from senet_repro.tasks.classification.module import Classification
from senet_repro.training.fit import build_network, build_trainer
from senet_repro.training.task_module import IMAGES

pytestmark = pytest.mark.usefixtures("one_thread")

GOLDEN_LOSSES = {
    "r=none": """
        2.6143 2.3792 2.4835 2.3819 2.0322 2.1156 2.1609 1.9752 1.7982 1.8930
        1.6451 1.5885 1.4807 1.9049 1.3400 1.3484 1.3279 1.8475 1.3335 1.5203
    """,
    "r=16": """
        2.4137 2.4306 2.4175 2.2876 2.1763 2.3611 2.1093 2.1370 1.9086 1.9171
        1.7452 1.8452 1.9856 1.9270 1.6460 1.6456 1.4047 1.6814 1.4974 1.7056
    """,
    "placement=pre squeeze=max": """
        2.5682 2.4294 2.4705 2.4845 2.0283 2.3147 2.3111 2.1606 1.9495 1.7762
        1.9314 1.7761 1.7575 1.9635 1.4310 1.4479 1.4284 1.8933 1.5671 1.6345
    """,
    "squeeze=none excitation=tanh stages=[3]": """
        2.5386 2.4062 2.3485 2.5107 2.0984 2.2606 2.2556 2.3497 1.9890 1.9546
        1.8421 1.7875 1.7693 2.0863 1.4631 1.4919 1.4424 1.8820 1.5038 1.7525
    """,
    "model=resnet20 placement=identity": """
        3.1456 2.6598 2.4266 2.4699 2.4496 2.5228 2.4247 2.3972 2.2383 2.0583
        1.9416 1.8534 1.9517 2.0011 1.8814 1.8265 1.6813 1.6068 1.5046 1.6863
    """,
}


class Losses(pl.Callback):
    """Keeps the loss of every step."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_train_batch_end(self, *arguments: object) -> None:
        outputs = arguments[2]
        assert isinstance(outputs, dict)
        self.values.append(float(outputs["loss"]))


def losses_of(overrides: list[str]) -> list[float]:
    fixed = ["trainer.accelerator=cpu", "recipe.epochs=1", "recipe.batch_size=64", "recipe.lr=0.1"]
    run = compose([*fixed, *overrides])
    losses = Losses()
    trainer = build_trainer(run, [losses])
    data = ImageData(run.data, run.recipe.batch_size, run.seed, 0)
    trainer.fit(Classification(build_network(run), run.recipe, run.seed), datamodule=data)
    return losses.values[:20]


@pytest.mark.parametrize("overrides", sorted(GOLDEN_LOSSES))
def test_twenty_steps_have_their_golden_losses(overrides: str) -> None:
    golden = [float(loss) for loss in GOLDEN_LOSSES[overrides].split()]
    losses = losses_of(overrides.split())
    # A processor's own rounding decides the sign of what should be 0, and so a gradient: it grows from step to step.
    assert losses[:7] == pytest.approx(golden[:7], rel=2e-3)
    assert losses[7:] == pytest.approx(golden[7:], rel=5e-2)


def test_linear_and_convolutional_fcs_train_alike() -> None:
    assert losses_of(["se.fc=linear"]) == pytest.approx(losses_of(["se.fc=conv"]), rel=1e-3)


def test_memory_format_changes_speed_and_nothing_else() -> None:
    nhwc, nchw = (losses_of([f"trainer.channels_last={flag}"]) for flag in ("true", "false"))
    assert nhwc == pytest.approx(nchw, rel=1e-3)


def build_module(*overrides: str) -> Classification:
    run = compose(["trainer.accelerator=cpu", *overrides])
    return Classification(build_network(run), run.recipe, run.seed)


def test_a_module_measures_the_metrics_of_its_task() -> None:
    measured = {str(name) for name in build_module().eval_metrics} - {IMAGES}
    assert measured == {metric.name for metric in TASK.metrics}


def test_metrics_are_no_part_of_a_networks_state() -> None:
    assert {name.split(".")[0] for name in build_module().state_dict()} == {"net"}


def test_label_smoothing_enters_training_and_not_evaluation() -> None:
    module = build_module("recipe.label_smoothing=0.5")
    images, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 10
    with torch.no_grad():
        trained = module.training_step((images, labels), 0)
        logits = module.net(images)
        expected = F.cross_entropy(logits, labels, label_smoothing=0.5)
        assert torch.allclose(trained, expected)
        module.validation_step((images, labels), 0)
    evaluated = module.eval_metrics.compute()["loss"]
    assert float(evaluated) == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-5)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_each_precision_trains(precision: str) -> None:
    values = losses_of([f"trainer.precision={precision}", "recipe.batch_size=256"])
    assert values[-1] < values[0]
