"""What one step computes, what an epoch counts, and the losses of twenty steps that no refactor may change."""

from __future__ import annotations

import pytest
import pytorch_lightning as pl
import torch
from torch.nn import functional as F

from senet_repro.config.composition import compose
from senet_repro.tasks.classification.data_module import ImageData
from senet_repro.tasks.classification.module import Classification, Tally, errors
from senet_repro.training.fit import build_net, make_trainer

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
    trainer = make_trainer(run, [losses])
    data = ImageData(run.data, run.recipe.batch_size, run.seed, 0)
    trainer.fit(Classification(build_net(run), run.recipe, run.seed), datamodule=data)
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


def test_a_tally_equals_a_count_by_hand() -> None:
    generator = torch.Generator().manual_seed(0)
    tally = Tally(torch.device("cpu"))
    loss_sum = top1 = top5 = images = 0.0
    for size in (7, 5, 1):
        logits, labels = (
            torch.randn(size, 8, generator=generator),
            torch.randint(8, (size,), generator=generator),
        )
        tally.add(F.cross_entropy(logits, labels), logits, labels)
        for row, label in zip(logits, labels, strict=True):
            rank = int((row > row[label]).sum())
            loss_sum += float(torch.logsumexp(row, 0) - row[label])
            top1, top5, images = top1 + (rank == 0), top5 + (rank < 5), images + 1
    assert [*tally.sums.tolist(), tally.images] == pytest.approx(
        [loss_sum, top1, top5, images], rel=1e-5
    )


def test_errors_are_percentages_of_all_images() -> None:
    assert errors([2.0, 3.0, 4.0, 4.0], "x_") == {
        "x_loss": 0.5,
        "x_top1_err_pct": 25.0,
        "x_top5_err_pct": 0.0,
    }


def test_label_smoothing_enters_training_and_not_evaluation() -> None:
    run = compose(["recipe.label_smoothing=0.5", "trainer.accelerator=cpu"])
    module = Classification(build_net(run), run.recipe, 0)
    images, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 10
    module._tally = Tally(torch.device("cpu"))
    with torch.no_grad():
        trained = module.training_step((images, labels), 0)
        expected = F.cross_entropy(module.net(images), labels, label_smoothing=0.5)
        assert torch.allclose(trained, expected)
        module._tally = Tally(torch.device("cpu"))
        module.validation_step((images, labels), 0)
        assert module._tally.sums[0] / 16 == pytest.approx(
            float(F.cross_entropy(module.net(images), labels)), rel=1e-5
        )


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_each_precision_trains(precision: str) -> None:
    values = losses_of([f"trainer.precision={precision}", "recipe.batch_size=256"])
    assert values[-1] < values[0]
