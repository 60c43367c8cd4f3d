"""The part of a picture that a network sees, in training a random one (data floor).

Both crops are torchvision's, to the pixel; `tests/data/test_crops.py` holds them to it. They do without its objects for
single pictures, which take as long as the resizing does once decoding has emptied the processor's caches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as pictures

from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError

Transform = Callable[[Tensor, int], Tensor]
"""Takes an image (3, H, W) uint8, and the seed of what is random about it, to (3, px, px) uint8."""

# Areas and aspects that are tried before the middle of the picture is taken.
_ATTEMPTS = 10


class Region(NamedTuple):
    """A rectangle of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


class RandomCrop:
    """A crop of random area and aspect, resized to a square, and perhaps mirrored.

    It draws the numbers of RandomResizedCrop and RandomHorizontalFlip in their order, from a generator of its own.
    """

    def __init__(
        self,
        side_px: int,
        area: Sequence[float],
        aspect: Sequence[float],
        share_mirrored: float,
    ) -> None:
        """Cut squares of `side_px`; `area` and `aspect` are the least and the greatest of a crop."""
        self.side_px = side_px
        self.area = area
        self.aspect = aspect
        self.share_mirrored = share_mirrored
        # As float32 rounds them.
        self._log_aspect = torch.log(torch.tensor(aspect)).tolist()

    def __call__(self, image: Tensor, seed: int) -> Tensor:
        """Return the crop (3, px, px) of an image (3, H, W) uint8 that follows from `seed`."""
        generator = Generator().manual_seed(seed)
        region = self._draw_region(image.shape[1], image.shape[2], generator)
        is_mirrored = torch.rand(1, generator=generator).item() < self.share_mirrored
        # Pixel after pixel, with nothing between them: a part of a picture would be resized to planes of single
        # colours, which a batch has to mix again.
        by_pixel = _cut_region(image, region).permute(1, 2, 0).contiguous()
        side = [self.side_px, self.side_px]
        crop: Tensor = pictures.resize_image(by_pixel.permute(2, 0, 1), side, antialias=True)
        return crop.flip(-1) if is_mirrored else crop

    def _draw_region(self, height: int, width: int, generator: Generator) -> Region:
        for _ in range(_ATTEMPTS):
            share = torch.empty(1).uniform_(*self.area, generator=generator).item()
            log_aspect = torch.empty(1).uniform_(*self._log_aspect, generator=generator)
            aspect = log_aspect.exp().item()
            area = height * width * share
            crop_width = round(math.sqrt(area * aspect))
            crop_height = round(math.sqrt(area / aspect))
            if 0 < crop_width <= width and 0 < crop_height <= height:
                top = _draw_below(height - crop_height + 1, generator)
                left = _draw_below(width - crop_width + 1, generator)
                return Region(top, left, crop_height, crop_width)
        return self._find_middle(height, width)

    def _find_middle(self, height: int, width: int) -> Region:
        """Return the middle of a picture in which no crop fits, as much of it as the aspects allow."""
        least, greatest = min(self.aspect), max(self.aspect)
        crop_height, crop_width = height, width
        if width / height < least:
            crop_height = round(width / least)
        elif width / height > greatest:
            crop_width = round(height * greatest)
        top, left = (height - crop_height) // 2, (width - crop_width) // 2
        return Region(top, left, crop_height, crop_width)


def _draw_below(limit: int, generator: Generator) -> int:
    return int(torch.randint(limit, (1,), generator=generator).item())


def _cut_region(image: Tensor, region: Region) -> Tensor:
    rows = image.narrow(1, region.top, region.height)
    return rows.narrow(2, region.left, region.width)


class CentralCrop:
    """The middle of a picture, once its shorter side, or both, have a given length."""

    def __init__(
        self,
        side_px: int,
        resize_px: int | None,
        interpolation: str,
        antialias: bool,
        sides: str = "short",
    ) -> None:
        """Cut squares of `side_px` after the shorter side, or both `sides`, are `resize_px`; None: no resizing."""
        self.side_px = side_px
        # One number is torchvision's shorter side, two are the height and the width.
        self.resized = None
        if resize_px is not None:
            self.resized = [resize_px] * (2 if sides == "both" else 1)
        self.interpolation = InterpolationMode(interpolation)
        self.antialias = antialias

    def __call__(self, image: Tensor, seed: int = 0) -> Tensor:
        """Return the crop (3, px, px) of an image (3, H, W) uint8; nothing is random about it."""
        if self.resized is not None:
            image = pictures.resize_image(
                image, self.resized, self.interpolation, antialias=self.antialias
            )
        crop: Tensor = pictures.center_crop_image(image, [self.side_px, self.side_px])
        return crop


def train_transform(data: Data) -> RandomCrop:
    """Return a random crop of random area and aspect, resized to `train_px`, and a flip; uint8 in, uint8 out.

    Raises:
        DataError: `data` does not say from which areas and aspects to draw.
    """
    if data.crop_area is None or data.crop_aspect is None:
        raise DataError(
            f"{data.name} is trained on random resized crops: give data.crop_area and data.crop_aspect"
        )
    share_mirrored = 0.5 if data.flip else 0.0
    return RandomCrop(data.train_px, data.crop_area, data.crop_aspect, share_mirrored)


def eval_transform(
    data: Data, interpolation: str = "bilinear", antialias: bool = True
) -> CentralCrop:
    """Return the central `eval_px` square once `eval_resize_sides` are `eval_resize_px`; uint8 in, uint8 out.

    `interpolation` is bilinear or bicubic; without `antialias` pixels between those that are asked for are left out.
    """
    return CentralCrop(
        data.eval_px, data.eval_resize_px, interpolation, antialias, data.eval_resize_sides
    )
