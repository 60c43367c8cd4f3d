"""The pictures of a detection run, with their objects, as Lightning wants them (tasks floor)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from senet_repro.config.schema import Data, Recipe
from senet_repro.data.coco import load_coco
from senet_repro.data.grouped_steps import GroupedTrainSteps
from senet_repro.data.object_batches import ObjectBatches, TrainObjectBatches
from senet_repro.data.object_set import (
    ObjectSet,
    PictureFiles,
    require_counted,
    select_trainable,
)
from senet_repro.data.order import EvalSteps
from senet_repro.data.shapes import load_shapes
from senet_repro.training.stepped_data import SteppedData


class ObjectData(SteppedData):
    """Training and evaluation batches of one set, as `ObjectBatch`: pictures of their own sizes, uint8, with boxes.

    Order and flips of an epoch follow from (seed, epoch), the order also from the number of devices and parts of a step
    (`GroupedTrainSteps`). Pictures that show no object to learn are left out of training, none of evaluation.
    """

    def __init__(
        self,
        data: Data,
        recipe: Recipe,
        seed: int,
        num_workers: int,
        verified: Path = Path(".verified"),
    ) -> None:
        """Describe the data; nothing is read before `verify` or `setup`.

        Args:
            data: The set and its augmentation.
            recipe: Images per training step over all devices, and steps of an epoch.
            seed: Seed of the run.
            num_workers: Decoding processes per device; drawn pictures need none.
            verified: Folder in which the outcome of verifying pictures is kept.
        """
        super().__init__(data, seed, num_workers, verified)
        self.recipe = recipe
        # Read once, for verifying and for training: annotations are large.
        self._read: tuple[ObjectSet, ObjectSet] | None = None
        self._train: ObjectSet
        self._eval: ObjectSet

    @property
    def num_train(self) -> int:
        """Number of pictures that are trained on, once set up."""
        return len(self._train)

    @property
    def num_eval_images(self) -> int:
        """Number of evaluation pictures, once set up."""
        return len(self._eval)

    @property
    def eval_set(self) -> ObjectSet:
        """The evaluation pictures with all of their objects, once set up."""
        return self._eval

    def _list_files(self) -> Sequence[PictureFiles]:
        pictures = [part.pictures for part in self._read_parts()]
        return [part for part in pictures if isinstance(part, PictureFiles)]

    def _list_skipped(self) -> tuple[Sequence[str], Sequence[str]]:
        return self._train.skipped, self._eval.skipped

    def _read_parts(self) -> tuple[ObjectSet, ObjectSet]:
        """Return both parts of the set with all of their pictures, read once."""
        if self._read is None:
            load = load_coco if self.data.kind == "boxes" else load_shapes
            self._read = load(self.data)
        return self._read

    def setup(self, stage: str | None = None) -> None:
        """Read the annotations of a set, or draw it; `stage` makes no difference.

        Raises:
            DataError: The set is missing or damaged, or has nothing to learn or to find; the message names the file.
        """
        train, evaluation = self._read_parts()
        # Everything but what is trained and evaluated on is freed.
        self._read = None
        corrupt = set(self._corrupt)
        if corrupt:
            train, evaluation = train.leave_out(corrupt), evaluation.leave_out(corrupt)
        # Now, and not when the first epoch has been trained.
        require_counted(evaluation)
        self._train, self._eval = select_trainable(train), evaluation
        self.tell_skipped()

    def train_dataloader(self) -> TrainObjectBatches:
        """Return this process's share of the training batches.

        Raises:
            DataError: The batch does not divide over the devices or is larger than the set.
        """
        assert self.trainer is not None
        steps = GroupedTrainSteps(
            self._train.is_wide,
            self.recipe.batch_size,
            self.seed,
            self.process_share,
            self.trainer.accumulate_grad_batches,
            self.recipe.epoch_steps,
        )
        self.begin_steps(steps)
        batches = TrainObjectBatches(
            self._train, steps, self.seed, self._count_workers(), self._pins_memory, self.data.flip
        )
        self._open.append(batches)
        return batches

    def val_dataloader(self) -> ObjectBatches:
        """Return this process's share of the evaluation pictures: over all processes each exactly once, in order."""
        steps = EvalSteps(self.num_eval_images, self.recipe.batch_size, self.process_share)
        batches = ObjectBatches(
            self._eval, steps, self.seed, self._count_workers(), self._pins_memory
        )
        self._open.append(batches)
        return batches

    def _count_workers(self) -> int:
        """Return the decoding processes that the set needs; drawn pictures lie in memory."""
        return self.num_workers if self.data.kind == "boxes" else 0

    @property
    def _pins_memory(self) -> bool:
        return self.root_device.type == "cuda"
