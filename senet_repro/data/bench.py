"""How fast images reach the network: ours against the usual pipeline of one PIL image at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
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
        """How many times the images per second of the per-image pipeline ours delivers."""
        return self.batched_per_s / self.per_image_per_s


def random_images(count: int) -> ImageSet:
    """`count` random images of CIFAR's shape and labels of ten classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, *CIFAR_SHAPE), dtype=torch.uint8, generator=generator)
    return ImageSet(images, torch.randint(10, (count,), generator=generator))


def measure_input(
    images: ImageSet | None = None, rounds: int = 5, per_image_steps: int = 40
) -> InputSpeed:
    """Time both pipelines in alternation on one thread, about 2 s a round at the default sizes.

    Args:
        images: A set of CIFAR's shape; 50,000 random images if not given.
        rounds: How often each pipeline is timed.
        per_image_steps: Batches of the per-image pipeline in a round; ours always runs a whole epoch.
    """
    images = random_images(50_000) if images is None else images
    data = compose(["data=cifar10"]).data
    batched = _batched(images, data)
    per_image = DataLoader(
        _PilImages(images, data), batch_size=BATCH_SIZE, shuffle=True, drop_last=True
    )
    speeds: list[tuple[float, float]] = []
    with cpu_threads(1):
        for _ in range(rounds):
            few = islice(per_image, per_image_steps)
            speeds.append((_images_per_s(few), _images_per_s(batched())))
    return InputSpeed(*(median(column) for column in zip(*speeds, strict=True)))


def _images_per_s(batches: Iterable[Batch]) -> float:
    start_s = time.perf_counter()
    count = sum(len(labels) for _, labels in batches)
    return count / (time.perf_counter() - start_s)


def _batched(images: ImageSet, data: Data) -> Callable[[], Iterator[Batch]]:
    steps = TrainSteps(len(images), BATCH_SIZE, 0, Share())
    batches = TrainBatches(images, data, steps, torch.device("cpu"))
    normalise = Normalise(data.mean, data.std)
    return lambda: ((normalise(pixels), labels) for pixels, labels in batches)


class _PilImages(Dataset[tuple[Tensor, int]]):
    """What torchvision's CIFAR10 does with the customary transforms."""

    def __init__(self, images: ImageSet, data: Data) -> None:
        self.images = images.images.permute(0, 2, 3, 1).numpy()
        self.labels = images.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(CIFAR_SHAPE[-1], padding=data.pad_px),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize([m / 255 for m in data.mean], [s / 255 for s in data.std]),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]
