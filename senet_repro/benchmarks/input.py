"""Images per second and core: our input beside the usual pipelines of one PIL image at a time (benchmarks floor).

Time is the processor's, of one thread, so that others on the machine count as little as can be.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from senet_repro.benchmarks.measurement import Measurement, measure_in_turn, require_agreement
from senet_repro.benchmarks.options import BenchOptions
from senet_repro.config.composition import compose
from senet_repro.config.schema import Data
from senet_repro.core.printing import print_line
from senet_repro.core.threads import cpu_threads
from senet_repro.data.batches import Batch, Normalise, TrainBatches
from senet_repro.data.crops import Transform, eval_transform, train_transform
from senet_repro.data.decode import decode_file, find_torchcodec
from senet_repro.data.folder import FileSet, FolderBatches
from senet_repro.data.images import ImageSet
from senet_repro.data.order import EvalSteps, Share, TrainSteps

ROUNDS = 7
CIFAR_SHAPE = (3, 32, 32)
CIFAR_BATCH = 128
CIFAR_IMAGES = 50_000
# Batches of the yardstick in a round; ours always runs a whole epoch.
CIFAR_STEPS = 40
CIFAR_GOAL = 10.0
# Both draw crops of their own: means over thousands of them agree to so many standard deviations of a pixel.
CIFAR_TOLERANCE = 0.05

PICTURES = 200
PICTURE_BATCH = 50
PICTURE_SUFFIXES = (".jpeg", ".jpg")
PICTURE_GOAL = 1.5
DECODING_GOAL = 0.6
# Grey levels, on average over the pixels of a central crop: PIL and torchvision round in ways of their own.
PICTURE_TOLERANCE = 1.0
COMPARED_PICTURES = 10

TO_UNIT_SCALE = 255
"""torchvision's transforms scale pixels to 0..1, and the statistics of a configuration are on the 0..255 scale."""


def measure_input(options: BenchOptions) -> list[Measurement]:
    """Time the input of CIFAR and, where `data_root` holds JPEG files, of ImageNet."""
    measurements = []
    with cpu_threads(1):
        if options.is_quick:
            images = random_images(1_000)
            measurements.append(measure_cifar(images, rounds=1, steps=2))
        else:
            measurements.append(measure_cifar(random_images(CIFAR_IMAGES)))
        files: list[str] = []
        if options.data_root is not None:
            files = list(
                islice(_walk_pictures(options.data_root), 4 if options.is_quick else PICTURES)
            )
            if not files:
                print_line(
                    f"senet_repro: no JPEG files below {options.data_root}: the input of ImageNet is not measured",
                    file=sys.stderr,
                )
        if files:
            measurements += measure_pictures(files, rounds=1 if options.is_quick else ROUNDS)
    return measurements


def measure_speed(batches: Iterable[Batch]) -> float:
    """Return the images per second of an iteration, its start included."""
    start_s = time.process_time()
    count = sum(len(labels) for _, labels in batches)
    return count / (time.process_time() - start_s)


# CIFAR


def random_images(count: int) -> ImageSet:
    """Return `count` random images of CIFAR's shape and labels of ten classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, *CIFAR_SHAPE), dtype=torch.uint8, generator=generator)
    labels = torch.randint(10, (count,), generator=generator)
    return ImageSet(images, labels)


def measure_cifar(images: ImageSet, rounds: int = ROUNDS, steps: int = CIFAR_STEPS) -> Measurement:
    """Set normalised training batches beside those of torchvision's CIFAR10 with the customary transforms."""
    data = compose(["data=cifar10"]).data
    ours = _NormalisedBatches(images, data)
    theirs = DataLoader(
        _PilImages(images, data), batch_size=CIFAR_BATCH, shuffle=True, drop_last=True
    )
    difference = abs(_average_pixel(islice(ours, steps)) - _average_pixel(islice(theirs, steps)))
    return measure_in_turn(
        lambda: measure_speed(ours),
        lambda: measure_speed(islice(theirs, steps)),
        rounds,
        what="input, CIFAR: normalised training batches",
        yardstick="PIL and torchvision, one image at a time",
        unit="images/s",
        goal=CIFAR_GOAL,
        is_more_better=True,
        check=require_agreement("mean pixels", difference, CIFAR_TOLERANCE),
    )


def _average_pixel(batches: Iterable[Batch]) -> float:
    means = [images.mean() for images, _ in batches]
    return float(torch.stack(means).mean())


class _NormalisedBatches:
    """Our pipeline, with the normalisation that training does on its device."""

    def __init__(self, images: ImageSet, data: Data) -> None:
        steps = TrainSteps(len(images), CIFAR_BATCH, 0, Share())
        self.batches = TrainBatches(images, data, steps, torch.device("cpu"))
        self.normalise = Normalise(data.mean, data.std)

    def __iter__(self) -> Iterator[Batch]:
        for pixels, labels in self.batches:
            yield self.normalise(pixels), labels


class _PilImages(Dataset[tuple[Tensor, int]]):
    """The pipeline of torchvision's CIFAR10 with the customary transforms."""

    def __init__(self, images: ImageSet, data: Data) -> None:
        self.images = images.images.permute(0, 2, 3, 1).numpy()
        self.labels = images.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(CIFAR_SHAPE[-1], padding=data.pad_px),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                _normalise_as_torchvision(data),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.images[index])
        return self.transform(image), self.labels[index]


def _normalise_as_torchvision(data: Data) -> transforms.Normalize:
    mean = [value / TO_UNIT_SCALE for value in data.mean]
    std = [value / TO_UNIT_SCALE for value in data.std]
    return transforms.Normalize(mean, std)


# ImageNet


def measure_pictures(files: list[str], rounds: int = ROUNDS) -> list[Measurement]:
    """Set training batches of JPEG files beside torchvision's reference pipeline, and beside decoding alone.

    Ours are uint8, as decoding processes hand them on; what follows is done on the device that trains.
    """
    data = compose(["protocol=imagenet"]).data
    library = "torchvision" if find_torchcodec() is None else "torchcodec"
    check = _compare_crops(files[:COMPARED_PICTURES], data)
    reference = _ReferencePictures(files, data)
    yardsticks: list[tuple[str, Callable[[], float], float]] = [
        (
            "torchvision's reference: PIL, crop, flip, normalise",
            lambda: measure_speed(DataLoader(reference, batch_size=PICTURE_BATCH)),
            PICTURE_GOAL,
        ),
        (f"decoding alone, by {library}", partial(_measure_decoding, files), DECODING_GOAL),
    ]
    measurements = []
    for yardstick, time_yardstick, goal in yardsticks:
        measured = measure_in_turn(
            lambda: measure_speed(_read_batches(files, train_transform(data))),
            time_yardstick,
            rounds,
            what=f"input, ImageNet: training batches, decoded by {library}",
            yardstick=yardstick,
            unit="images/s",
            goal=goal,
            is_more_better=True,
            check=check,
        )
        measurements.append(measured)
    return measurements


def _walk_pictures(root: str) -> Iterator[str]:
    """Yield the JPEG files below a folder, class by class."""
    for folder, below, names in os.walk(root, followlinks=True):
        below.sort()
        for name in sorted(names):
            if name.lower().endswith(PICTURE_SUFFIXES):
                yield str(Path(folder) / name)


def _read_batches(files: list[str], transform: Transform) -> FolderBatches:
    encoded = np.array([os.fsencode(file) for file in files])
    steps = EvalSteps(len(files), PICTURE_BATCH, Share())
    file_set = FileSet(encoded, torch.zeros(len(files), dtype=torch.int64))
    return FolderBatches(file_set, transform, steps, 0, 0, pin_memory=False)


def _measure_decoding(files: list[str]) -> float:
    start_s = time.process_time()
    for file in files:
        decode_file(file)
    return len(files) / (time.process_time() - start_s)


def _compare_crops(files: list[str], data: Data) -> str:
    """Return in words that central crops of both pipelines show the same pictures; random ones differ."""
    assert data.eval_resize_px is not None
    cut = transforms.Compose(
        [transforms.Resize(data.eval_resize_px), transforms.CenterCrop(data.eval_px)]
    )
    differences = []
    for file in files:
        ours = eval_transform(data)(decode_file(file))
        theirs = transforms.functional.pil_to_tensor(cut(_read_with_pil(file)))
        differences.append((ours.float() - theirs.float()).abs().mean())
    difference = float(torch.stack(differences).max())
    return require_agreement("central crops, in grey levels,", difference, PICTURE_TOLERANCE)


class _ReferencePictures(Dataset[tuple[Tensor, int]]):
    """Pictures as torchvision's references/classification trains on them."""

    def __init__(self, files: list[str], data: Data) -> None:
        self.files = files
        self.transform = transforms.Compose(
            [
                transforms.RandomResizedCrop(data.train_px),
                transforms.RandomHorizontalFlip(),
                transforms.PILToTensor(),
                transforms.ConvertImageDtype(torch.float),
                _normalise_as_torchvision(data),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(_read_with_pil(self.files[index])), 0


def _read_with_pil(file: str) -> Image.Image:
    with Path(file).open("rb") as opened:
        return Image.open(opened).convert("RGB")
