"""Crops are torchvision's, to the pixel, and their random numbers too: every number ever recorded depends on them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.functional import pil_to_tensor

from senet_repro.config.schema import Data
from senet_repro.data.crops import eval_transform, train_transform

MakeData = Callable[..., Data]
# Height and width. Of the last four no crop of the usual aspects may fit, and the middle is taken.
SIZES = [(60, 80), (81, 50), (24, 24), (300, 40), (40, 300), (1, 30), (30, 1), (1, 1), (3, 200)]


def picture(height: int, width: int) -> Tensor:
    """A picture whose memory holds pixel after pixel, as decoders leave it."""
    generator = torch.Generator().manual_seed(height)
    pixels = torch.randint(256, (height, width, 3), dtype=torch.uint8, generator=generator)
    return pixels.permute(2, 0, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("settings", [{}, {"flip": False}, {"crop_area": [0.9, 1.0]}])
def test_random_crops_are_those_of_torchvision(
    size: tuple[int, int], settings: dict[str, object], make_data: MakeData
) -> None:
    data = make_data("imagenet", **settings)
    assert data.crop_area is not None
    assert data.crop_aspect is not None
    crop = v2.RandomResizedCrop(24, data.crop_area, data.crop_aspect, antialias=True)
    expected = v2.Compose([crop, v2.RandomHorizontalFlip(0.5 if data.flip else 0.0)])
    image, cut = picture(*size), train_transform(data)
    for seed in (0, 1, 2, 3, 2**64 - 1):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            whole = expected(image)
        assert torch.equal(cut(image, seed), whole)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
def test_central_crops_are_those_of_torchvision(
    size: tuple[int, int], interpolation: str, antialias: bool, make_data: MakeData
) -> None:
    resize = v2.Resize(28, v2.InterpolationMode(interpolation), antialias=antialias)
    expected = v2.Compose([resize, v2.CenterCrop(24)])
    found = eval_transform(make_data("imagenet"), interpolation, antialias)(picture(*size))
    assert torch.equal(found, expected(picture(*size)))


@pytest.mark.parametrize("size", SIZES)
def test_both_sides_may_be_resized_whatever_the_aspect_was(
    size: tuple[int, int], make_data: MakeData
) -> None:
    data = make_data("imagenet", eval_resize_sides="both")
    found = eval_transform(data)(picture(*size))
    expected = v2.Compose([v2.Resize([28, 28], antialias=True), v2.CenterCrop(24)])
    assert torch.equal(found, expected(picture(*size)))
    # The same as PIL makes of it, whose sums round otherwise.
    image = Image.fromarray(picture(*size).permute(1, 2, 0).numpy())
    by_pil = image.resize((28, 28), Image.Resampling.BILINEAR).crop((2, 2, 26, 26))
    off = (found - pil_to_tensor(by_pil).float()).abs()
    assert off.max() <= 1


def test_a_crop_lies_pixel_by_pixel_as_a_batch_does(make_data: MakeData) -> None:
    crop = train_transform(make_data("imagenet"))(picture(60, 80), 0)
    assert crop.permute(1, 2, 0).is_contiguous()
