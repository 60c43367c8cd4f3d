"""Detection: Faster R-CNN over a network of the grid, by average precision (section 5.3, Table 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_repro.config.detection import require_ap_library
from senet_repro.config.schema import DETECTION, Run
from senet_repro.core.cores import count_workers
from senet_repro.results.detections import read_detections
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks.detection.average_precision import measure_average_precision
from senet_repro.tasks.detection.metrics import METRICS
from senet_repro.training.task import KeptOutcomes

if TYPE_CHECKING:
    from torch import nn

    from senet_repro.training.task_module import TaskData, TaskModule


class DetectionTask:
    """The task of section 5.3; its metrics are those of Table 7."""

    name = DETECTION
    metrics = METRICS

    def build_module(self, run: Run, net: nn.Module) -> TaskModule:
        """Return the Lightning module that trains and evaluates the detector `net`.

        Raises:
            ConfigError: the library that computes average precision is not installed.
        """
        # Now, and not when the first epoch has been trained.
        require_ap_library()
        # Late: tables and verdicts ask for the metrics alone, and need not wait for torch.
        from senet_repro.tasks.detection.module import DetectionModule

        return DetectionModule(net, run)

    def build_data(self, run: Run) -> TaskData:
        """Return the run's pictures with their objects, batched for its devices; nothing is read yet."""
        from pathlib import Path

        from senet_repro.tasks.detection.data_module import ObjectData

        workers = count_workers(run.trainer.num_workers, run.trainer.devices)
        return ObjectData(
            run.data, run.recipe, run.seed, workers, Path(run.results_dir) / ".verified"
        )

    def read_outcomes(self, folder: RunFolder) -> KeptOutcomes | None:
        """Return what the last epoch found in each image, and the average precision that follows."""
        file = folder.detections_file
        if not file.exists():
            return None
        detections = read_detections(file)
        measured = measure_average_precision(detections)
        return KeptOutcomes(file=file, summary=detections.summarise(), measured=measured)


TASK = DetectionTask()
