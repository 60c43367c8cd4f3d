"""The part of a picture that a network sees, in training a random one (data floor)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms import v2

from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError

Transform = Callable[[Tensor], Tensor]
"""Takes an image (3, H, W) uint8 to (3, px, px) uint8."""


class RandomCrop:
    """A crop of random area and aspect, resized to a square, and in half of the cases mirrored.

    It draws the numbers of torchvision's RandomResizedCrop and RandomHorizontalFlip, in their order, and cuts the same
    pixels in a third of their time: the crop is copied pixel by pixel first, since torchvision resizes a crop that lies
    within its picture to planes of single colours, which have to be mixed again for a batch.
    """

    def __init__(
        self, side_px: int, area: list[float], aspect: list[float], share_mirrored: float
    ) -> None:
        """Cut squares of `side_px`; `area` and `aspect` are the least and the greatest of a crop."""
        self.side_px = side_px
        self.share_mirrored = share_mirrored
        self._crop = v2.RandomResizedCrop(side_px, scale=area, ratio=aspect)

    def __call__(self, image: Tensor) -> Tensor:
        """Return the crop (3, px, px) of an image (3, H, W) uint8, drawn from the CPU's global generator."""
        place = self._crop.make_params([image])
        is_mirrored = torch.rand(1).item() < self.share_mirrored
        region = _lay_by_pixels(v2.functional.crop_image(image, **place))
        side = [self.side_px, self.side_px]
        crop: Tensor = v2.functional.resize_image(region, side, antialias=True)
        return crop.flip(-1) if is_mirrored else crop


def _lay_by_pixels(image: Tensor) -> Tensor:
    """Return an image (3, H, W) whose memory holds pixel after pixel, and nothing between them."""
    return image.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def train_transform(data: Data) -> Transform:
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
) -> Transform:
    """Return the central `eval_px` square once the shorter side is `eval_resize_px`; uint8 in, uint8 out.

    `interpolation` is bilinear or bicubic; without `antialias` pixels between those that are asked for are left out.
    """
    steps: list[v2.Transform] = []
    if data.eval_resize_px is not None:
        mode = v2.InterpolationMode(interpolation)
        steps.append(v2.Resize(data.eval_resize_px, interpolation=mode, antialias=antialias))
    steps.append(v2.CenterCrop(data.eval_px))
    transform: Transform = v2.Compose(steps)
    return transform


def apply_seeded(transform: Transform, image: Tensor, seed: int) -> Tensor:
    """Return the transform of an image, whose random parameters follow from `seed` alone."""
    # Transforms draw from the CPU's global generator; outside it must seem untouched.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return transform(image)
