"""The Lightning module of detection: the losses of Faster R-CNN, and average precision (tasks floor)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from senet_repro.config.schema import Run
from senet_repro.data.object_batches import ObjectBatch
from senet_repro.models.detector import build_detector
from senet_repro.models.layers import Classifier
from senet_repro.results.detections import Detections
from senet_repro.tasks.detection.average_precision import measure_average_precision
from senet_repro.tasks.detection.data_module import ObjectData
from senet_repro.tasks.detection.detection_log import DetectionLog
from senet_repro.tasks.detection.examples import IllustratedDetections
from senet_repro.tasks.detection.metrics import METRICS
from senet_repro.training.measures import MeanLoss
from senet_repro.training.task_module import IMAGES, TaskModule

PARTS = ("loss_objectness", "loss_rpn_box_reg", "loss_class", "loss_box")
"""The parts of the loss, by the detector's names: of proposals and their boxes, of classes and their boxes."""


class DetectionModule(TaskModule):
    """Train a detector to find the objects in pictures, and evaluate it.

    The loss is the sum of its parts. There is none on the evaluation pictures, where a detector proposes regions of its
    own and no sampled ones.
    """

    def __init__(self, trunk: Module, run: Run) -> None:
        """Build the detector of a run over its network with first weights."""
        assert isinstance(trunk, Classifier)
        losses = {name: MeanLoss() for name in ("loss", *PARTS)}
        super().__init__(
            build_detector(trunk, run), run.recipe, run.seed, metrics={}, train_metrics=losses
        )
        self._found = DetectionLog(self.device)
        self._detections: Detections | None = None

    @property
    def measured_metrics(self) -> set[str]:
        """The names of the metrics that an evaluation measures."""
        return {metric.name for metric in METRICS}

    def training_step(self, batch: ObjectBatch, _index: int) -> Tensor:
        """Return the batch's loss, the sum of the means of its parts."""
        targets = []
        for boxes, labels in zip(batch.boxes, batch.labels, strict=True):
            # To a detector class 0 is the background.
            targets.append({"boxes": boxes, "labels": labels + 1})
        parts = self.net(_read_pictures(batch), targets)
        loss: Tensor = torch.stack([parts[name] for name in PARTS]).sum()
        images = len(batch.images)
        self.train_metrics[IMAGES].update(images)
        for name, value in {"loss": loss, **parts}.items():
            self.train_metrics[name].update(value, images)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget what an earlier evaluation found, with everything that each task's evaluation begins with."""
        super().on_validation_epoch_start()
        self._found = DetectionLog(self.device)

    def validation_step(self, batch: ObjectBatch, _index: int) -> None:
        """Note what is found in a batch of evaluation pictures."""
        # Each by itself: its padding, which a squeeze sees, must not depend on the others.
        pictures = _read_pictures(batch)
        for index, picture in zip(batch.indices, pictures, strict=True):
            (found,) = self.net([picture])
            # To a detector class 0 is the background.
            labels = found["labels"] - 1
            self._found.add_image(index, found["boxes"], labels, found["scores"])
        self.eval_metrics.update(images=len(batch.images))

    def close_evaluation(self) -> dict[str, float]:
        """Return the average precisions over the pictures of all devices, in percent by the names of the metrics."""
        # Counts the pictures; there are no sums beside.
        super().close_evaluation()
        processes = self.trainer.world_size
        self._detections = self._found.gather_detections(processes, self._data.eval_set)
        measured: dict[str, float] = {}
        # A set takes seconds to count, in which other processes would take cores from the first one's.
        if self.trainer.is_global_zero:
            measured = measure_average_precision(self._detections)
        shared: dict[str, float] = self.trainer.strategy.broadcast(measured)
        return shared

    def gather_outcomes(self) -> IllustratedDetections:
        """Return what was found in the evaluation pictures, and what is there to be found, with a few of them."""
        assert self._detections is not None
        return IllustratedDetections(self._detections, self._data.eval_set)

    @property
    def _data(self) -> ObjectData:
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ObjectData)
        return data


def _read_pictures(batch: ObjectBatch) -> list[Tensor]:
    """Return the pictures of a batch as float32 on the scale 0..255."""
    # On the device, since a quarter of the bytes travels there.
    return [picture.float() for picture in batch.images]
