"""One of the processes of the campaign's benchmark: trains slices of runs, and writes down what each took.

`python -m senet_repro.benchmarks.campaign_worker JOB OUTPUT` reads its job and writes a list of measured runs, as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from senet_repro.config.composition import compose
from senet_repro.config.schema import Data, Run
from senet_repro.core.errors import Diverged
from senet_repro.core.signals import Deferral
from senet_repro.data.images import ImageSet, Split
from senet_repro.data.sets import READERS, load_in_memory
from senet_repro.results.epochs import read_epochs
from senet_repro.tasks import find_task
from senet_repro.training.devices import list_visible_gpus, uses_gpu
from senet_repro.training.fit import fit
from senet_repro.training.speed import decide_compile

SLICE = "slice"
"""The name of the set that runs are measured on."""
SLICE_EPOCHS = 2
"""The first one warms up."""


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """The runs that a process trains one after another, each on the first images of its set."""

    runs: Sequence[Sequence[str]]  # overrides
    seeds: int  # of each run that are trained, one or two
    train_images: int
    eval_images: int
    whole_epochs: int  # of the runs that the slices stand for, by which they are compiled or not
    results_dir: str
    begun_at: float  # by `time.time`, when the process was started


@dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """The seconds that a run took on a slice, and the loss that it came to."""

    overrides: Sequence[str]
    first_s: float  # all but the epochs, of the first seed
    again_s: float  # likewise, of the last one
    train_s: float  # its last epoch's training
    eval_s: float  # likewise, its evaluation
    train_images: int  # that were trained with in that time
    eval_images: int
    loss: float


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """The findings of a process."""

    start_s: float  # from its start to its first run
    runs: list[MeasuredRun]
    diverged: list[Sequence[str]]  # overrides of the runs whose loss on the slice was not finite


def measure_runs(job: WorkerJob) -> WorkerReport:
    """Train the runs of a job, and return what they took."""
    first = compose(job.runs[0])
    READERS[SLICE] = lambda _: _read_slice(first.data, job)
    # Read ahead, as a long-lived process reads its set once for all of its runs.
    load_in_memory(_slice_data(first.data, job))
    report = WorkerReport(start_s=time.time() - job.begun_at, runs=[], diverged=[])
    for overrides in job.runs:
        try:
            report.runs.append(_measure_run(overrides, job))
        except Diverged:
            # Gates that have no upper bound multiply from block to block: where the running statistics of batch
            # normalisation are not yet those of the weights, an evaluation overflows though training does not.
            report.diverged.append(overrides)
    return report


def _read_slice(data: Data, job: WorkerJob) -> Split:
    """Return the first images of a set; random ones of its shape where no folder of it is named."""
    if data.name != "digits" and data.root is None:
        generator = torch.Generator().manual_seed(0)
        train = _draw_images(data.train_px, data.classes, job.train_images, generator)
        return Split(train, _draw_images(data.eval_px, data.classes, job.eval_images, generator))
    whole = load_in_memory(data)
    return Split(
        _take_first(whole.train, job.train_images), _take_first(whole.test, job.eval_images)
    )


def _draw_images(px: int, classes: int, count: int, generator: torch.Generator) -> ImageSet:
    images = torch.randint(256, (count, 3, px, px), dtype=torch.uint8, generator=generator)
    # In turn, so that even a small slice has images of the last class.
    return ImageSet(images, torch.arange(count) % classes)


def _take_first(images: ImageSet, count: int) -> ImageSet:
    return ImageSet(images.images[:count], images.labels[:count])


def _slice_data(data: Data, job: WorkerJob) -> Data:
    return replace(
        data,
        name=SLICE,
        root=None,
        found=None,
        px=None,
        train_images=job.train_images,
        eval_images=job.eval_images,
    )


def _measure_run(overrides: Sequence[str], job: WorkerJob) -> MeasuredRun:
    """Return what a run takes on the slice.

    Raises:
        Diverged: its loss is not finite there.
    """
    run = _build_slice_run(overrides, job)
    trainings = [_train_slice(replace(run, seed=seed)) for seed in range(job.seeds)]
    (_, first_s), (last, again_s) = trainings[0], trainings[-1]
    return MeasuredRun(
        overrides=overrides,
        first_s=first_s,
        again_s=again_s,
        train_s=last["train_s"],
        eval_s=last["epoch_s"] - last["train_s"],
        train_images=last["train_images"],
        eval_images=job.eval_images,
        loss=trainings[0][0]["train_loss"],
    )


def _build_slice_run(overrides: Sequence[str], job: WorkerJob) -> Run:
    """Return a run on the slice, compiled if the whole run would be."""
    whole = compose([*overrides, f"recipe.epochs={job.whole_epochs}"])
    is_compiled = decide_compile(whole, uses_gpu(whole.trainer))
    return replace(
        whole,
        results_dir=job.results_dir,
        data=_slice_data(whole.data, job),
        recipe=replace(whole.recipe, epochs=SLICE_EPOCHS),
        trainer=replace(whole.trainer, compile=is_compiled),
    )


def _train_slice(run: Run) -> tuple[dict[str, Any], float]:
    """Train a run on the slice; returns its last epoch, and the seconds of all but its epochs."""
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.perf_counter()
        fit(run, find_task(run.task), Path(folder), Deferral(), _pick_gpu(run))
        took_s = time.perf_counter() - started_s
        epochs = read_epochs(Path(folder))
    last = epochs[-1]
    # The first epoch compiles and chooses algorithms: what it took beyond the last one is taken once.
    once_s = took_s - len(epochs) * last["epoch_s"]
    return last, max(once_s, 0.0)


def _pick_gpu(run: Run) -> Sequence[int]:
    """Return the first GPU of this process where the run trains on one."""
    return [0] if uses_gpu(run.trainer) and list_visible_gpus() else []


def main(job_file: Path, output: Path) -> None:
    """Measure the runs of the job in a file, and write the report to another."""
    job = WorkerJob(**json.loads(job_file.read_text(encoding="utf-8")))
    report = measure_runs(job)
    output.write_text(json.dumps(asdict(report)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
