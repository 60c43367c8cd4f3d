"""Training sees the pictures of a detection run in their own order, goes on within an epoch, and leaves out by name."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from senet_repro.config.paper_tables import compose_cached
from senet_repro.core.errors import DataError
from senet_repro.data.object_batches import ObjectBatch
from senet_repro.tasks.detection.data_module import ObjectData
from tests.coco_sets import change_annotations, list_images, make_coco

# Lightning 2.6 creates a LeafSpec in a way that torch 2.14 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")

Seen = list[tuple[int, list[int], list[float]]]


class Recorder(pl.LightningModule):
    """Keeps what it is given, and trains one number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.seen: Seen = []
        self.validated: list[int] = []

    def training_step(self, batch: ObjectBatch, batch_idx: int) -> Tensor:
        sums = [float(image.sum()) for image in (*batch.images, *batch.boxes)]
        self.seen.append((self.current_epoch, batch.indices, sums))
        return self.weight * sum(sums)

    def on_validation_epoch_start(self) -> None:
        self.validated = []

    def validation_step(self, batch: ObjectBatch, batch_idx: int) -> None:
        self.validated += batch.indices

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(data: ObjectData, epochs: int = 2, resume_from: Path | None = None) -> Recorder:
    trainer = make_trainer(max_epochs=epochs)
    model = Recorder()
    trainer.fit(model, data, ckpt_path=resume_from)
    return model


def make_trainer(**options: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_coco(tmp_path_factory.mktemp("coco"))


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def describe_data(
    root: Path, workers: int = 0, epoch_steps: int | None = None, **settings: Any
) -> ObjectData:
    run = compose_cached("+experiment=coco")
    data = replace(run.data, root=str(root), **settings)
    recipe = replace(run.recipe, batch_size=2, epoch_steps=epoch_steps)
    return ObjectData(data, recipe, 3, workers, root.parent / "verified")


def test_a_training_sees_every_epoch_in_its_own_order(made: Path) -> None:
    data = describe_data(made)
    model = fit(data)
    assert (data.num_train, data.num_eval_images, len(data.eval_set)) == (11, 8, 8)
    assert data.skipped == {}
    first, second = ([seen[1] for seen in model.seen if seen[0] == epoch] for epoch in (0, 1))
    assert len(first) == len(second) == 5
    assert first != second
    assert model.validated == list(range(8))


def test_a_recipe_may_shorten_its_epochs(made: Path) -> None:
    whole, short = fit(describe_data(made)), fit(describe_data(made, epoch_steps=3))
    assert short.seen[:3] == whole.seen[:3]
    assert len(short.seen) == 6


@pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_training_that_was_ended_within_an_epoch_sees_what_was_left(
    made: Path, tmp_path: Path, workers: int
) -> None:
    whole = fit(describe_data(made)).seen
    checkpoint = tmp_path / "ended.ckpt"

    class Keep(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.global_step == 7:
                trainer.save_checkpoint(checkpoint)
                raise RuntimeError("killed")

    data = describe_data(made, workers)
    with pytest.raises(RuntimeError, match="killed"):
        make_trainer(max_epochs=2, callbacks=[Keep()]).fit(Recorder(), data)
    data.teardown()
    assert fit(describe_data(made, workers), resume_from=checkpoint).seen == whole[7:]
    assert multiprocessing.active_children() == []


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:300])


def state_another_size(root: Path) -> None:
    change_annotations(root, "val", lambda said: said["images"][0].update(width=50))


def locate(root: Path, part: str, place: int) -> Path:
    return root / f"{part}2017" / str(list_images(root, part)[place]["file_name"])


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: cut_short(locate(root, "train", 4)), r"train2017/000000000031\.jpg: not"),
        (state_another_size, r"val2017/\d+\.(jpg|png): not readable as images of the sizes"),
    ],
)
def test_verification_names_what_cannot_be_trained_on_before_training(
    root: Path, damage: Callable[[Path], None], message: str, workers: int
) -> None:
    damage(root)
    with pytest.raises(DataError, match=message):
        describe_data(root, workers, verify=True).verify(lambda: None)


def test_what_is_left_out_is_told_and_recorded(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [locate(root, "train", 0), locate(root, "val", 3)]
    cut_short(broken[0])
    broken[1].unlink()
    data = describe_data(root, skip_corrupt=True)
    data.verify(lambda: None)
    model = fit(data, epochs=1)
    assert data.skipped == {"train": [str(broken[0])], "test": [str(broken[1])]}
    assert (data.num_train, data.num_eval_images) == (10, 7)
    assert model.validated == list(range(7))
    assert "left out 1 train and 1 test images that cannot be read" in capsys.readouterr().err


def test_missing_pictures_and_annotations_end_a_training_by_name(root: Path) -> None:
    locate(root, "val", 3).unlink()
    with pytest.raises(DataError, match=r"val2017: no .*26\.jpg.*data\.skip_corrupt=true"):
        describe_data(root).setup()
    shutil.rmtree(root / "annotations")
    with pytest.raises(DataError, match=r"no annotations/instances_train2017.json"):
        describe_data(root).setup()


def test_evaluation_pictures_without_an_object_are_refused_before_training(root: Path) -> None:
    change_annotations(root, "val", lambda said: said.update(annotations=[]))
    with pytest.raises(DataError, match="no evaluation picture shows an object that is no crowd"):
        describe_data(root).setup()


def test_drawn_shapes_need_no_folder_and_no_process() -> None:
    run = compose_cached("+experiment=coco", "protocol=shapes")
    recipe = replace(run.recipe, epoch_steps=2)
    data = ObjectData(replace(run.data, verify=True), recipe, 0, num_workers=2)
    data.verify(lambda: None)
    model = fit(data, epochs=1)
    assert (data.num_train, data.num_eval_images) == (512, 128)
    assert [len(indices) for _, indices, _ in model.seen] == [8, 8]
    assert model.validated == list(range(128))
    assert multiprocessing.active_children() == []
