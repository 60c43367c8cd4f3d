"""How fast images reach the network: ours against the usual pipeline of one PIL image at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import median

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from senet_repro.config.composition import compose
from senet_repro.config.schema import Data
from senet_repro.core.threads import cpu_threads
from senet_repro.data.batches import Batch, Normalise, TrainBatches
from senet_repro.data.images import ImageSet
from senet_repro.data.order import Share, TrainSteps

CIFAR_SHAPE = (3, 32, 32)
BATCH_SIZE = 128


@dataclass(frozen=True)
class InputSpeed:
    """Normalised float training images per second and core, medians over the rounds."""

    per_image_per_s: float  # PIL and torchvision, one image at a time
    batched_per_s: float  # ours

    @property
    def speedup(self) -> float:
        """Return how many times the images per second of the per-image pipeline ours delivers."""
        return self.batched_per_s / self.per_image_per_s


def random_images(count: int) -> ImageSet:
    """Return `count` random images of CIFAR's shape and labels of ten classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, *CIFAR_SHAPE), dtype=torch.uint8, generator=generator)
    labels = torch.randint(10, (count,), generator=generator)
    return ImageSet(images, labels)


def measure_input(
    images: ImageSet | None = None, rounds: int = 5, per_image_steps: int = 40
) -> InputSpeed:
    """Time both pipelines in alternation on one thread, about 2 s a round at the default sizes.

    Args:
        images: A set of CIFAR's shape; 50,000 random images if not given.
        rounds: How often each pipeline is timed.
        per_image_steps: Batches of the per-image pipeline in a round; ours always runs a whole epoch.
    """
    if images is None:
        images = random_images(50_000)
    data = compose(["data=cifar10"]).data
    batched = _NormalisedBatches(images, data)
    per_image = DataLoader(
        _PilImages(images, data), batch_size=BATCH_SIZE, shuffle=True, drop_last=True
    )
    per_image_speeds = []
    batched_speeds = []
    with cpu_threads(1):
        # In alternation, so that a machine that slows down slows both.
        for _ in range(rounds):
            first_batches = islice(per_image, per_image_steps)
            per_image_speeds.append(_measure_speed(first_batches))
            batched_speeds.append(_measure_speed(batched))
    return InputSpeed(median(per_image_speeds), median(batched_speeds))


def _measure_speed(batches: Iterable[Batch]) -> float:
    """Return the images per second of an iteration, its start included."""
    start_s = time.perf_counter()
    count = sum(len(labels) for _, labels in batches)
    return count / (time.perf_counter() - start_s)


class _NormalisedBatches:
    """Our pipeline, with the normalisation that training does on its device."""

    def __init__(self, images: ImageSet, data: Data) -> None:
        steps = TrainSteps(len(images), BATCH_SIZE, 0, Share())
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
        # ToTensor scales to 0..1, and the statistics of the configuration are on the 0..255 scale.
        mean = [value / 255 for value in data.mean]
        std = [value / 255 for value in data.std]
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(CIFAR_SHAPE[-1], padding=data.pad_px),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(mean, std),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.images[index])
        return self.transform(image), self.labels[index]
