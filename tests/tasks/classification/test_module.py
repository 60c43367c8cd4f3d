"""What one step computes, and the losses of twenty steps that no refactor may change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.config.composition import compose
from senet_repro.tasks.classification import TASK
from senet_repro.tasks.classification.data_module import ImageData
from senet_repro.tasks.classification.module import Classification
from senet_repro.training.fit import build_network, build_trainer
from senet_repro.training.task_module import IMAGES

pytestmark = pytest.mark.usefixtures("one_thread")

# Twenty losses of each in float64, where rounding does not grow within so few steps: the same on every processor.
GOLDEN_LOSSES = {
    "r=none": """
        2.60237063330 2.45135269596 2.37331466786 2.58439660461 2.26385718487
        2.24028977372 2.15818918394 2.04845857417 1.88554191092 1.78014287339
        1.91480231460 1.55680942551 1.65825867633 2.05206708682 1.43595260214
        1.48487242232 1.28711723760 1.61442185278 1.59614614122 1.37925771495
    """,
    "r=16": """
        2.48986893591 2.35523754086 2.48169251187 2.16256681628 2.02884283579
        2.19086775809 2.32658149390 2.21727557547 2.04534173548 1.89508805310
        1.95325986705 1.80913507296 1.91241874727 1.94480808172 1.62508021308
        1.71398815287 1.42704049104 1.89292221364 1.62233203237 1.72246867835
    """,
    "placement=pre squeeze=max": """
        3.06326335690 2.52127671199 2.45598073904 2.52469017820 2.28414129878
        2.19911466945 2.44388392116 2.28817737293 2.02720742897 2.01334419417
        1.78396086007 1.80046081356 1.74253894702 2.23130099961 1.34985678990
        1.59071231959 1.35354543615 1.74790654997 1.57560622437 1.50243968722
    """,
    "squeeze=none excitation=tanh stages=[3]": """
        2.77738053791 2.59858954060 2.55694597794 2.37163171675 2.32698332997
        2.44902895717 2.52255163754 2.11967250466 2.02840918240 2.12055616022
        2.22742250723 2.00663845789 2.11847120422 2.43000116073 1.58598980195
        1.72032748454 1.58327635692 2.07634360055 1.62064843387 1.83657710357
    """,
    "model=resnet20 placement=identity": """
        2.49788220203 2.35798686857 2.35721985631 2.09957991730 2.05851489796
        2.08966848118 2.15425874098 1.97047320410 2.00932063445 1.84630983117
        1.92227607978 1.82170839386 1.79816137487 2.19569671181 1.62677355558
        1.70633768013 1.86654978390 1.62046273464 1.59218174221 1.73223355011
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


class InDouble(nn.Module):
    """Computes a network in float64, with weights that are the same on every processor.

    A draw of normal numbers is not, in its last bit; a uniform one is. `test_init.py` looks at the first weights.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net.double()
        generator = torch.Generator().manual_seed(0)
        for weight in net.parameters():
            if weight.ndim > 1:
                bound = (6 / weight[0].numel()) ** 0.5
                uniform = torch.rand(weight.shape, generator=generator, dtype=torch.float64)
                weight.data = (2 * uniform - 1) * bound

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) in float32 to logits (N, classes) in float64."""
        logits: Tensor = self.net(images.double())
        return logits


def losses_of(
    overrides: list[str], change_net: Callable[[nn.Module], nn.Module] = lambda net: net
) -> list[float]:
    fixed = ["trainer.accelerator=cpu", "recipe.epochs=1", "recipe.batch_size=64", "recipe.lr=0.1"]
    run = compose([*fixed, *overrides])
    losses = Losses()
    trainer = build_trainer(run, [losses])
    data = ImageData(run.data, run.recipe.batch_size, run.seed, 0)
    net = change_net(build_network(run))
    trainer.fit(Classification(net, run.recipe, run.seed), datamodule=data)
    return losses.values[:20]


@pytest.mark.parametrize("overrides", sorted(GOLDEN_LOSSES))
def test_twenty_steps_have_their_golden_losses(overrides: str) -> None:
    golden = [float(loss) for loss in GOLDEN_LOSSES[overrides].split()]
    assert losses_of(overrides.split(), InDouble) == pytest.approx(golden, rel=1e-8)


@pytest.mark.parametrize(
    "change", ["recipe.momentum=0.9001", "recipe.weight_decay=1.001e-4", "recipe.lr=0.10001"]
)
def test_a_small_change_of_recipe_changes_the_golden_losses(change: str) -> None:
    golden = [float(loss) for loss in GOLDEN_LOSSES["r=none"].split()]
    assert losses_of(["r=none", change], InDouble) != pytest.approx(golden, rel=1e-8)


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
