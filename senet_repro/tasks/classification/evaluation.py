"""One pass of a classifier over the evaluation images, without training (tasks floor)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from senet_repro.config.class_folders import find_class_folders
from senet_repro.config.evaluation import CropRule
from senet_repro.config.picture_folders import EVAL
from senet_repro.config.schema import Data, Run
from senet_repro.core.cores import count_workers
from senet_repro.core.errors import ConfigError, DataError
from senet_repro.core.wording import name_some
from senet_repro.data.batches import Batch, Normalise
from senet_repro.data.crops import eval_transform
from senet_repro.data.folder import (
    FileSet,
    FolderBatches,
    load_part,
)
from senet_repro.data.images import ImageSet
from senet_repro.data.order import EvalSteps, Key, Share
from senet_repro.data.sets import load_in_memory
from senet_repro.data.verify import corruption_error, find_corrupt_files
from senet_repro.models import network_of
from senet_repro.results.outcomes import MOST_RANKS, Outcomes, pack_outcomes

Report = Callable[[int], None]
"""Is told after each batch how many images of the pass are evaluated, over all processes about."""

_HALVES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a picture becomes what a network sees, beside its crop."""

    mean: list[float]  # per RGB channel, on the 0..255 scale
    std: list[float]
    interpolation: str
    antialias: bool


@dataclass(frozen=True)
class EvalImages:
    """The images of an evaluation, and what they are known by."""

    images: ImageSet | FileSet
    # Of the files of the evaluation part, or of the pixels and labels of a set in memory.
    fingerprint: str

    def __len__(self) -> int:
        return len(self.images)


def check_sizes(run: Run, rules: Sequence[CropRule]) -> None:
    """Accept rules whose images the network can take, before any image is read.

    Raises:
        ConfigError: it cannot; the message names the size.
    """
    # Without values: shapes alone decide, and no second network is held in memory.
    with torch.device("meta"), torch.random.fork_rng(devices=()):
        net = network_of(run).eval()
    for size_px in sorted({rule.size_px for rule in rules}):
        try:
            net(torch.empty(1, 3, size_px, size_px, device="meta"))
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                f"sizes={size_px}: {run.model.name} takes no images of {size_px} px; it is made for "
                f"{run.model.input_px}, give that or a larger size"
            ) from error


def load_eval_images(
    data: Data,
    fingerprint: str | None,
    num_workers: int,
    verified: Path,
    kept_in: Path | None = None,
) -> EvalImages:
    """Return the evaluation images of a set; of one in folders no other part is read.

    `fingerprint` is that of a set in folders, `verified` the folder in which the outcome of verifying images is kept,
    where `data` asks for that, and `kept_in` the one in which decoded sets are.

    Raises:
        DataError: they are not there, not readable, or which output belongs to which folder cannot be known.
    """
    if data.kind == "memory":
        stored = load_in_memory(data, kept_in).test
        return EvalImages(stored, _hash_pixels(stored))
    assert fingerprint is not None
    _check_outputs(data)
    files = load_part(data, EVAL)
    if data.verify or data.skip_corrupt:
        corrupt = find_corrupt_files([files], num_workers, verified, _go_on)
        if corrupt and not data.skip_corrupt:
            raise corruption_error(corrupt)
        if corrupt:
            files = files.leave_out(corrupt)
    return EvalImages(files, fingerprint)


def _go_on() -> None:
    """Let a search go on: a signal ends the process, and what was found is kept."""


def _check_outputs(data: Data) -> None:
    """Refuse class folders of which nobody knows which outputs of the network are theirs."""
    found = find_class_folders(data, [EVAL])
    names = found.names
    known_classes = {data.classes, data.found.classes if data.found else data.classes}
    if not found.is_numbered and len(names) not in known_classes:
        raise DataError(
            f"data.root={data.root}: there are {len(names)} classes to evaluate on ({name_some(names)}) and "
            f"{data.classes:,} outputs of the network, and which belongs to which cannot be known: give a folder for "
            "each output, or name ImageNet's by their WordNet ids"
        )


def _hash_pixels(stored: ImageSet) -> str:
    digest = hashlib.sha256()
    for tensor in (stored.images, stored.labels):
        digest.update(f"{tuple(tensor.shape)} ".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


class _WholeBatches(EvalSteps):
    """Evaluation steps that are the same batches on any number of processes, each taken by one of them.

    What a network computes of an image may depend, in its last bits, on the images beside it.
    """

    def __init__(self, num_images: int, batch_size: int, share: Share) -> None:
        """Cut the images in their order into batches; a process takes every `world_size`-th."""
        starts = range(0, num_images, batch_size)
        self._batches = []
        for start in starts[share.slice_images(len(starts))]:
            end = min(start + batch_size, num_images)
            self._batches.append(range(start, end))

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[Key]]:
        for batch in self._batches:
            yield [(0, index) for index in batch]


@dataclass(frozen=True)
class EvalBatch:
    """Images as a network takes them, and which of the set they are."""

    indices: list[int]  # of the images in the set
    pictures: Tensor  # (N, 3, H, W), normalised, on the device of the network
    labels: Tensor  # (N,), on the CPU


def iterate_batches(
    images: EvalImages,
    run: Run,
    rule: CropRule,
    preprocessing: Preprocessing,
    *,
    device: torch.device,
    share: Share,
) -> Iterator[EvalBatch]:
    """Yield the batches of this process, of one pass over the images.

    The batches are the same on any number of processes, each of them taken by one.

    Raises:
        DataError: an image cannot be read.
    """
    steps = _WholeBatches(len(images), run.recipe.batch_size, share)
    normalise = Normalise(preprocessing.mean, preprocessing.std).to(device)
    batches = _build_batches(images, run, rule, preprocessing, steps, device)
    try:
        for step, (pictures, labels) in zip(steps, batches, strict=True):
            indices = [index for _, index in step]
            seen = normalise(pictures.to(device, non_blocking=True))
            yield EvalBatch(indices, seen, labels.cpu())
    finally:
        if isinstance(batches, FolderBatches):
            batches.close_workers()


@torch.inference_mode()
def evaluate_network(
    net: nn.Module,
    images: EvalImages,
    run: Run,
    rule: CropRule,
    preprocessing: Preprocessing,
    *,
    device: torch.device,
    share: Share,
    report: Report,
) -> Outcomes:
    """Return the outcome of every image, in the order of the set, on every process.

    `net` takes images (N, 3, H, W) and gives logits (N, classes); it lies on `device`, in evaluation mode. The batches
    are the same on any number of processes, and so are the outcomes.

    Raises:
        DataError: an image cannot be read.
    """
    indices: list[int] = []
    labels: list[Tensor] = []
    likeliest: list[Tensor] = []
    for batch in iterate_batches(images, run, rule, preprocessing, device=device, share=share):
        with choose_precision(run.trainer.precision, device):
            logits = net(batch.pictures)
        ranks = min(MOST_RANKS, logits.shape[1])
        likeliest.append(logits.topk(ranks, dim=1).indices.cpu())
        labels.append(batch.labels)
        indices += batch.indices
        report(min(len(indices) * share.world_size, len(images)))
    own = (np.array(indices, dtype=np.int64), _join(labels), _join(likeliest))
    return _gather_outcomes(own, len(images), share)


def _join(parts: list[Tensor]) -> np.ndarray:
    # A process has no batch where there are fewer of them than processes.
    if not parts:
        return np.zeros((0,), dtype=np.int64)
    return torch.cat(parts).numpy()


def choose_precision(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a network computes as a training of that precision evaluates it."""
    if precision in _HALVES:
        return torch.autocast(device.type, dtype=_HALVES[precision])
    return nullcontext()


def _build_batches(
    images: EvalImages,
    run: Run,
    rule: CropRule,
    preprocessing: Preprocessing,
    steps: _WholeBatches,
    device: torch.device,
) -> FolderBatches | Iterator[Batch]:
    stored = images.images
    if isinstance(stored, ImageSet):
        return _cut_batches(stored, steps)
    cut = replace(
        run.data,
        eval_px=rule.size_px,
        eval_resize_px=rule.resize_px,
        eval_resize_sides=rule.sides,
    )
    transform = eval_transform(cut, preprocessing.interpolation, preprocessing.antialias)
    # One process per batch at most: more would only wait.
    workers = min(count_workers(run.trainer.num_workers, run.trainer.devices), len(steps))
    pin_memory = device.type == "cuda"
    gpu = device if run.data.decode == "gpu" else None
    return FolderBatches(stored, transform, steps, 0, workers, pin_memory, gpu)


def _cut_batches(stored: ImageSet, steps: _WholeBatches) -> Iterator[Batch]:
    for step in steps:
        indices = [index for _, index in step]
        pictures = stored.images[indices]
        yield pictures.contiguous(memory_format=torch.channels_last), stored.labels[indices]


def _gather_outcomes(
    own: tuple[np.ndarray, np.ndarray, np.ndarray], num_images: int, share: Share
) -> Outcomes:
    """Return the outcomes of all processes, each image at its place in the set."""
    parts = [own]
    if share.world_size > 1:
        gathered: list[tuple[np.ndarray, np.ndarray, np.ndarray] | None]
        gathered = [None] * share.world_size
        torch.distributed.all_gather_object(gathered, own)
        parts = [part for part in gathered if part is not None]
    # Of a process without a batch nobody knows the number of classes.
    parts = [part for part in parts if len(part[0])]
    indices, labels, likeliest = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.argsort(indices)
    assert np.array_equal(indices[order], np.arange(num_images)), "an image is missing or doubled"
    return pack_outcomes(labels[order], likeliest[order])
