"""Batches of a set in memory, cut and augmented on the training device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from senet_repro.config.schema import Data
from senet_repro.data.cutout import cut_out, draw_centres
from senet_repro.data.images import ImageSet
from senet_repro.data.order import Share, TrainSteps

Batch = tuple[Tensor, Tensor]


class Normalise(nn.Module):
    """Subtract the mean of each channel and divide by its standard deviation, as every set is normalised."""

    scale: Tensor
    offset: Tensor

    def __init__(self, mean: list[float], std: list[float]) -> None:
        """Take per-channel statistics on the 0..255 scale."""
        super().__init__()
        means, stds = torch.tensor([mean, std]).view(2, 1, -1, 1, 1)
        self.register_buffer("scale", 1 / stds)
        self.register_buffer("offset", -means / stds)

    def forward(self, images: Tensor) -> Tensor:
        """Turn uint8 images (B, 3, H, W) into float32 of the same shape and memory format.

        Images that are float32 are normalised already and stay as they are.
        """
        if images.is_floating_point():
            return images
        # One pass after the conversion; subtracting and dividing in turn takes twice as long on a CPU.
        return torch.addcmul(self.offset, images.float(), self.scale)


class Draws(NamedTuple):
    """The random numbers of one epoch, each (N,), one per position of the shuffled order."""

    image: Tensor  # which image stands at this position
    mirrored: Tensor  # bool
    top: Tensor  # corner of the crop in the padded image, 0..2 pad_px
    left: Tensor

    @classmethod
    def of_epoch(cls, steps: TrainSteps, flip: bool, pad_px: int) -> Draws:
        """Draw for the whole set on the CPU, so that neither device nor number of processes has a say."""
        generator = steps.generator()
        image = torch.randperm(steps.num_images, generator=generator)
        mirrored = torch.rand(steps.num_images, generator=generator) < (0.5 if flip else 0.0)
        top, left = torch.randint(2 * pad_px + 1, (2, steps.num_images), generator=generator)
        return cls(image, mirrored, top, left)


class Canvas:
    """Zero-padded images and, if flipped, their mirror images, laid out so that a batch is one gather.

    Pixels lie in memory as (copy, image, row, column, channel). A crop is then `side` runs of `side` pixels,
    the same distance apart, and its first pixel says all about it: image, flip and corner. This takes
    3 N (side + pad_px)^2 bytes per copy: 390 MB for CIFAR with flips.
    """

    def __init__(self, images: Tensor, flip: bool, pad_px: int, device: torch.device) -> None:
        """Lay out `images` (N, 3, side, side) uint8 on `device`."""
        num_images, channels, self.side, _ = images.shape
        # Padding on the left is also that on the right of the row before; likewise above and below.
        self.pitch = self.side + pad_px
        self.image_pixels = self.pitch**2
        self.copy_pixels = num_images * self.image_pixels
        copies = 2 if flip else 1
        tail = pad_px * self.pitch + pad_px
        pixels = torch.zeros(
            copies * self.copy_pixels + tail, channels, dtype=torch.uint8, device=device
        )
        field = pixels[: copies * self.copy_pixels].view(
            copies, num_images, self.pitch, self.pitch, channels
        )
        inner = field[:, :, pad_px:, pad_px:]
        inner[0] = images.permute(0, 2, 3, 1)
        if flip:
            inner[1] = images.flip(3).permute(0, 2, 3, 1)
        # Overlapping views: row i holds the `side` pixels from pixel i on.
        self.runs = pixels.as_strided(
            (len(pixels) - self.side + 1, self.side * channels), (channels, 1)
        )
        self.run_starts = torch.arange(self.side, device=device) * self.pitch

    def first_pixel(self, draws: Draws) -> Tensor:
        """Where the crop of each position (N,) begins, (N,) int64."""
        corner = draws.top * self.pitch + draws.left
        return draws.mirrored * self.copy_pixels + draws.image * self.image_pixels + corner

    def crop(self, first_pixels: Tensor) -> Tensor:
        """The crops (B, 3, side, side) uint8 in channels_last memory that begin at `first_pixels` (B,)."""
        runs = self.runs.index_select(0, (first_pixels[:, None] + self.run_starts).flatten())
        return runs.view(len(first_pixels), self.side, self.side, -1).permute(0, 3, 1, 2)


class TrainBatches:
    """Shuffled, augmented training batches: images (B, 3, H, W) in channels_last memory and labels (B,).

    Images are uint8; with cutout they are normalised float32, for what is cut out is exactly 0 once normalised.
    An image is mirrored with probability 1/2 (`data.flip`), padded by `data.pad_px` zeros on each side and
    cropped at random to its old size. Padding comes before normalisation, so the border is black and not the
    mean colour. B is this process's share of a global batch; the last incomplete batch is dropped.
    """

    def __init__(
        self,
        images: ImageSet,
        data: Data,
        steps: TrainSteps,
        device: torch.device,
        cutout_px: int = 0,
    ) -> None:
        """Move `images` to `device`, where each epoch's batches are then cut; `cutout_px` 0: no cutout."""
        self.sampler = steps  # the name under which Lightning looks for `set_epoch`
        self.flip = data.flip
        self.pad_px = data.pad_px
        self.device = device
        self.canvas = Canvas(images.images, data.flip, data.pad_px, device)
        self.labels = images.labels
        self.cutout_px = cutout_px
        self.normalise = Normalise(data.mean, data.std).to(device)

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of `epoch`, counted from 0."""
        self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        self.sampler.begin()
        draws = Draws.of_epoch(self.sampler, self.flip, self.pad_px)
        first_pixels = self.sampler.own(self.canvas.first_pixel(draws)).to(self.device)
        labels = self.sampler.own(self.labels[draws.image]).to(self.device)
        crops = (self.canvas.crop(step_pixels) for step_pixels in first_pixels)
        batches = zip(self._cut_out(crops) if self.cutout_px else crops, labels, strict=True)
        yield from self.sampler.counted(batches)

    def _cut_out(self, crops: Iterable[Tensor]) -> Iterator[Tensor]:
        centres = self.sampler.own(draw_centres(self.sampler, self.canvas.side)).to(self.device)
        for crop, step_centres in zip(crops, centres, strict=True):
            yield cut_out(self.normalise(crop), step_centres, self.cutout_px)


class EvalBatches:
    """Every image once over all processes, in order: uint8 (B, 3, H, W) channels_last and labels (B,)."""

    def __init__(
        self, images: ImageSet, batch_size: int, share: Share, device: torch.device
    ) -> None:
        """Move this process's share of `images` to `device`; `batch_size` counts over all processes."""
        self.local_batch = batch_size // share.world_size
        own = share.of_images(len(images))
        self.images = images.images[own].to(device, memory_format=torch.channels_last)
        self.labels = images.labels[own].to(device)

    def __len__(self) -> int:
        return -(-len(self.labels) // self.local_batch)

    def __iter__(self) -> Iterator[Batch]:
        return zip(
            *(torch.split(x, self.local_batch) for x in (self.images, self.labels)), strict=True
        )
