import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from senet_repro.config.schema import Data
from senet_repro.data.batches import Batch, Normalise, TrainBatches
from senet_repro.data.order import Share, TrainSteps
from senet_repro.data.sets import load_in_memory
from senet_repro.tasks.classification.data_module import ImageData

MakeData = Callable[..., Data]
# Lightning 2.6 creates a LeafSpec in a way that torch 2.14 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


class Recorder(pl.LightningModule):
    """Keeps what it is given, and trains one number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.seen: dict[int, list[Tensor]] = {}
        self.validated: list[list[int]] = []

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        images, labels = batch
        assert images.dtype == torch.float32
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert len(images) == len(labels)
        self.seen.setdefault(self.current_epoch, []).append(images.clone())
        return self.weight * images.mean()

    def on_validation_epoch_start(self) -> None:
        self.validated.append([])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        assert batch[0].dtype == torch.float32
        self.validated[-1] += batch[1].tolist()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(
    data: ImageData, epochs: int, checkpoints: Path | None = None, resume_from: Path | None = None
) -> Recorder:
    every_epoch = pl.callbacks.ModelCheckpoint(
        checkpoints,
        "{epoch}",
        save_top_k=-1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=checkpoints is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[every_epoch] if checkpoints else None,
    )
    model = Recorder()
    trainer.fit(model, data, ckpt_path=resume_from)
    return model


@pytest.mark.parametrize(("name", "batch_size"), [("digits", 500), ("imagenet", 3)])
def test_a_training_sees_every_epoch_in_its_own_order(
    name: str, batch_size: int, make_data: MakeData, image_root: Path
) -> None:
    images = ImageData(make_data(name, root=str(image_root)), batch_size, seed=0, num_workers=0)
    model = fit(images, epochs=2)
    steps = images.num_train // batch_size
    assert [len(batches) for batches in model.seen.values()] == [steps, steps]
    assert not torch.equal(model.seen[0][0], model.seen[1][0])
    assert len(model.validated[-1]) == images.num_eval_images


def test_what_arrives_is_the_normalised_epoch(make_data: MakeData) -> None:
    data = make_data("digits")
    model = fit(ImageData(data, 400, seed=3, num_workers=0), epochs=2)
    train = load_in_memory(data).train
    batches = TrainBatches(
        train, data, TrainSteps(len(train), 400, 3, Share()), torch.device("cpu")
    )
    batches.set_epoch(1)
    normalise = Normalise(data.mean, data.std)
    for got, (expected, _) in zip(model.seen[1], batches, strict=True):
        assert torch.equal(got, normalise(expected))


def test_cutout_reaches_training_and_leaves_evaluation_alone(make_data: MakeData) -> None:
    data = make_data("digits")
    plain, cut = (ImageData(data, 400, seed=3, num_workers=0, cutout_px=px) for px in (0, 4))
    model = fit(cut, epochs=2)
    train = load_in_memory(data).train
    batches = TrainBatches(
        train, data, TrainSteps(len(train), 400, 3, Share()), torch.device("cpu"), 4
    )
    batches.set_epoch(1)
    for got, (expected, _) in zip(model.seen[1], batches, strict=True):
        assert torch.equal(got, expected)
        assert (got == 0).all(1).sum((1, 2)).min() >= 2 * 2  # a corner's square keeps a quarter
    fit(plain, epochs=1)
    for left, right in zip(cut.val_dataloader(), plain.val_dataloader(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* is not empty:UserWarning")
@pytest.mark.parametrize(
    ("name", "batch_size", "workers"), [("digits", 700, 0), ("imagenet", 4, 1)]
)
def test_a_resumed_training_sees_exactly_the_remaining_epochs(
    name: str, batch_size: int, workers: int, make_data: MakeData, image_root: Path
) -> None:
    data = make_data(name, root=str(image_root))
    checkpoints = image_root / "checkpoints"

    def train(resume_from: Path | None = None) -> Recorder:
        images = ImageData(data, batch_size, seed=0, num_workers=workers)
        return fit(images, 3, checkpoints, resume_from)

    whole = train()
    for done in (1, 2):
        resumed = train(checkpoints / f"epoch={done - 1}.ckpt")
        assert sorted(resumed.seen) == list(range(done, 3))
        for epoch, batches in resumed.seen.items():
            assert all(torch.equal(a, b) for a, b in zip(batches, whole.seen[epoch], strict=True))


def test_workers_end_with_the_training(make_data: MakeData, image_root: Path) -> None:
    before = set(multiprocessing.active_children())
    fit(ImageData(make_data("imagenet", root=str(image_root)), 4, seed=0, num_workers=1), epochs=1)
    assert set(multiprocessing.active_children()) <= before


def test_a_batch_that_does_not_fit_is_refused_before_training(make_data: MakeData) -> None:
    with pytest.raises(ValueError, match=r"1437 training images do not fill one batch of 2000"):
        fit(ImageData(make_data("digits"), 2000, seed=0, num_workers=0), epochs=1)


def test_an_unknown_set_is_refused(make_data: MakeData) -> None:
    with pytest.raises(
        ValueError, match=r"no image set mnist: no reader .* give data=digits\|cifar10"
    ):
        ImageData(make_data("digits", name="mnist"), 4, seed=0, num_workers=0)


def test_sets_are_fetched_in_one_process_only_where_asked(
    make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Data] = []
    monkeypatch.setattr(
        "senet_repro.tasks.classification.data_module.load_in_memory",
        lambda data, _kept_in: asked.append(data),
    )
    for download in (False, True):
        ImageData(make_data("cifar10", download=download), 4, seed=0, num_workers=0).prepare_data()
    assert [data.download for data in asked] == [True]
