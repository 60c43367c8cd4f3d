"""Batches of a set in memory, cut and augmented on the training device."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from senet_repro.config.schema import Data
from senet_repro.data.cutout import cut_out, draw_centres
from senet_repro.data.images import ImageSet
from senet_repro.data.order import Share, TrainSteps

Batch = tuple[Tensor, Tensor]

EVAL_PIXELS = {"cuda": 2_000 * 32**2, "cpu": 125 * 32**2}
"""How many pixels an evaluation step takes at most: a GPU wants few steps, a CPU maps that fit into its caches."""
MOST_EVAL_IMAGES = 2_000


class Normalise(nn.Module):
    """Subtract the mean of each channel and divide by its standard deviation, as every set is normalised."""

    scale: Tensor
    offset: Tensor

    def __init__(self, mean: list[float], std: list[float]) -> None:
        """Take per-channel statistics on the 0..255 scale."""
        super().__init__()
        # As (1, C, 1, 1) they meet images (B, C, H, W) channel by channel.
        means = torch.tensor(mean).view(1, -1, 1, 1)
        stds = torch.tensor(std).view(1, -1, 1, 1)
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


def draw_epoch(steps: TrainSteps, flip: bool, pad_px: int) -> Draws:
    """Draw for the whole set on the CPU, so that neither device nor number of processes has a say."""
    count = steps.num_images
    # The order of these draws belongs to every number ever recorded.
    generator = steps.make_generator()
    image = torch.randperm(count, generator=generator)
    # Without flips the numbers are drawn all the same, and the corners stay those of a set with flips.
    share_mirrored = 0.5 if flip else 0.0
    mirrored = torch.rand(count, generator=generator) < share_mirrored
    num_corners = 2 * pad_px + 1
    top, left = torch.randint(num_corners, (2, count), generator=generator)
    return Draws(image, mirrored, top, left)


class Canvas:
    """Zero-padded images and, if flipped, their mirror images, laid out so that a batch is one gather.

    Pixels lie in memory as (copy, image, row, column, channel), where the second copy holds the mirror images:

        0 0 0    An image of side 2, padded by 1: pad_px rows of zeros above and pad_px columns on the left,
        0 p p    so that a row is `pitch` = side + pad_px pixels long. The zeros on its right are those on the
        0 p p    left of the next row, and the zeros below the image those above the next image.

    A crop is then `side` runs of `side` pixels, the same distance apart, and its first pixel decides all about it:
    image, flip and corner. This takes 3 N (side + pad_px)^2 bytes per copy: 390 MB for CIFAR with flips.
    """

    def __init__(
        self,
        images: Tensor,
        flip: bool,
        pad_px: int,
        device: torch.device,
    ) -> None:
        """Lay out `images` (N, 3, side, side) uint8 on `device`."""
        num_images, channels, self.side, _ = images.shape
        self.pitch = self.side + pad_px
        self.image_pixels = self.pitch**2
        self.copy_pixels = num_images * self.image_pixels
        copies = 2 if flip else 1
        all_pixels = copies * self.copy_pixels
        # The last image has no next one to lend it the zeros on its right and below it.
        tail_pixels = pad_px * self.pitch + pad_px
        pixels = torch.zeros(
            all_pixels + tail_pixels,
            channels,
            dtype=torch.uint8,
            device=device,
        )

        padded = pixels[:all_pixels].view(
            copies,
            num_images,
            self.pitch,
            self.pitch,
            channels,
        )
        inner = padded[:, :, pad_px:, pad_px:]
        # Moved as they are: a GPU lays them out in a thousandth of the time that a CPU takes.
        by_pixel = images.to(device).permute(0, 2, 3, 1)
        inner[0] = by_pixel
        if flip:
            inner[1] = by_pixel.flip(2)

        # Overlapping views, which take no memory: row i holds the `side` pixels from pixel i on.
        num_runs = len(pixels) - self.side + 1
        run_length = self.side * channels
        self.runs = pixels.as_strided(
            size=(num_runs, run_length),
            stride=(channels, 1),
        )
        rows = torch.arange(self.side, device=device)
        self.run_starts = rows * self.pitch

    def find_first_pixels(self, draws: Draws) -> Tensor:
        """Return where the crop of each position (N,) begins, (N,) int64."""
        copy_start = draws.mirrored * self.copy_pixels
        image_start = draws.image * self.image_pixels
        corner = draws.top * self.pitch + draws.left
        return copy_start + image_start + corner

    def cut_crops(self, first_pixels: Tensor) -> Tensor:
        """Return the crops (B, 3, side, side) uint8 in channels_last memory that begin at `first_pixels` (B,)."""
        # One run for each row of each crop, all in one gather.
        starts = first_pixels[:, None] + self.run_starts
        runs = self.runs.index_select(0, starts.flatten())
        count = len(first_pixels)
        crops = runs.view(count, self.side, self.side, -1)
        return crops.permute(0, 3, 1, 2)


class LastCanvas:
    """Keeps the canvas that was laid out last: the next run of a process mostly trains on the same images.

    One, since it is the largest thing of a small run: 390 MB for CIFAR.
    """

    def __init__(self) -> None:
        self._images: Tensor | None = None
        self._layout: tuple[bool, int, torch.device] | None = None
        self._canvas: Canvas | None = None

    def lay_out(self, images: Tensor, flip: bool, pad_px: int, device: torch.device) -> Canvas:
        """Return a canvas as `Canvas` lays it out, the kept one if that is of these very images."""
        layout = (flip, pad_px, device)
        if self._canvas is None or self._images is not images or self._layout != layout:
            # First: there may be no room for both.
            self._canvas = None
            self._canvas = Canvas(images, flip, pad_px, device)
            self._images, self._layout = images, layout
        return self._canvas


_LAST_CANVAS = LastCanvas()


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
        # Lightning looks for `set_epoch` under this name.
        self.sampler = steps
        self.flip = data.flip
        self.pad_px = data.pad_px
        self.device = device
        self.canvas = _LAST_CANVAS.lay_out(images.images, data.flip, data.pad_px, device)
        self.labels = images.labels
        self.cutout_px = cutout_px
        normalise = Normalise(data.mean, data.std)
        self.normalise = normalise.to(device)

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of `epoch`, counted from 0."""
        self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        # A generator, so that all this runs at the first batch: Lightning calls iter() before `set_epoch` when it
        # resumes.
        pending = self.begin_epoch()
        batches = (self.cut_batch(*step) for step in zip(*pending, strict=True))
        yield from self.sampler.count_taken(batches)

    def begin_epoch(self) -> list[Tensor]:
        """Return what the pending steps of the epoch are cut by, each (pending steps, B) int64 on the device.

        They are the first pixels of the crops, the labels and, with cutout, the centres of the squares.
        """
        self.sampler.start_epoch()
        draws = draw_epoch(self.sampler, self.flip, self.pad_px)
        pending = [self.canvas.find_first_pixels(draws), self.labels[draws.image]]
        if self.cutout_px:
            pending.append(draw_centres(self.sampler, self.canvas.side))
        return [self._share_of(values) for values in pending]

    def cut_batch(
        self, first_pixels: Tensor, labels: Tensor, centres: Tensor | None = None
    ) -> Batch:
        """Return the batch of a step, from its row of each tensor that `begin_epoch` returns."""
        crops = self.canvas.cut_crops(first_pixels)
        if centres is not None:
            crops = cut_out(self.normalise(crops), centres, self.cutout_px)
        return crops, labels

    def _share_of(self, values: Tensor) -> Tensor:
        """Return this process's share (pending steps, B) of `values` (N,), on the device."""
        return self.sampler.local_share(values).to(self.device)


def choose_eval_batch(side_px: int, device: torch.device, parts: int) -> int:
    """Return how many images of a side a process evaluates at a time, whatever its training takes.

    Where training takes its batch in several `parts` memory is short, and evaluation takes so many times less.
    """
    most_pixels = EVAL_PIXELS.get(device.type, EVAL_PIXELS["cpu"])
    images = min(most_pixels // side_px**2, MOST_EVAL_IMAGES)
    return max(images // parts, 1)


class EvalBatches:
    """Every image once over all processes, in order: (B, 3, H, W) channels_last and labels (B,)."""

    def __init__(
        self,
        images: ImageSet,
        local_batch: int,
        share: Share,
        device: torch.device,
        normalise: Normalise | None = None,
    ) -> None:
        """Move this process's share of `images` to `device`, in batches of `local_batch` images.

        With `normalise` they are normalised now, once for all evaluations of a run, and take four times the memory;
        without it the batches are uint8.
        """
        self.local_batch = local_batch
        local = share.slice_images(len(images))
        local_images = images.images[local]
        self.images = local_images.to(device, memory_format=torch.channels_last)
        self.labels = images.labels[local].to(device)
        if normalise is not None:
            self.images = normalise.to(device)(self.images)

    def __len__(self) -> int:
        return math.ceil(len(self.labels) / self.local_batch)

    def __iter__(self) -> Iterator[Batch]:
        images = torch.split(self.images, self.local_batch)
        labels = torch.split(self.labels, self.local_batch)
        return zip(images, labels, strict=True)
