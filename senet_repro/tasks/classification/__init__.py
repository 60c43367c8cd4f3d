"""Image classification: one network, one recipe, top-1 and top-5 error (sections 4 to 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_repro.config.schema import Run
from senet_repro.core.cores import count_workers
from senet_repro.results.outcomes import measure_errors, read_outcomes
from senet_repro.results.run_folder import RunFolder
from senet_repro.tasks.classification.metrics import METRICS
from senet_repro.training.task import KeptOutcomes

if TYPE_CHECKING:
    from torch import nn

    from senet_repro.training.task_module import TaskData, TaskModule


class ClassificationTask:
    """The task of sections 4 to 7; its metrics are those of the paper's Tables 2 to 6 and 8 to 16."""

    name = "classification"
    metrics = tuple(METRICS)

    def build_module(self, run: Run, net: nn.Module) -> TaskModule:
        """Return the Lightning module that trains and evaluates `net`: images (N, 3, H, W) to logits (N, classes)."""
        # Late: tables and verdicts ask for the metrics alone, and need not wait for torch.
        from senet_repro.tasks.classification.module import Classification

        return Classification(net, run.recipe, run.seed)

    def build_data(self, run: Run) -> TaskData:
        """Return the run's images, batched for its devices; nothing is read yet."""
        from pathlib import Path

        from senet_repro.data.set_cache import find_cache_folder
        from senet_repro.tasks.classification.data_module import ImageData

        return ImageData(
            run.data,
            run.recipe.batch_size,
            run.seed,
            count_workers(run.trainer.num_workers, run.trainer.devices),
            run.recipe.cutout_px,
            Path(run.results_dir) / ".verified",
            find_cache_folder(run.results_dir),
        )

    def read_outcomes(self, folder: RunFolder) -> KeptOutcomes | None:
        """Return which classes the last epoch found likeliest, and the errors that follow."""
        file = folder.outcomes_file
        if not file.exists():
            return None
        outcomes = read_outcomes(file)
        measured = measure_errors(outcomes, self.metrics)
        return KeptOutcomes(file=file, summary=outcomes.summarise(), measured=measured)


TASK = ClassificationTask()
