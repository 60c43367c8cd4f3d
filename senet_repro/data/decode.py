"""Encoded images to tensors, in the one place that calls the decoder."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image

from senet_repro.core.errors import DataError
from senet_repro.core.files import read_bytes


def decode_rgb(encoded: bytes) -> Tensor:
    """Return the image (3, H, W) uint8 in a JPEG or PNG file; grey ones are repeated over the channels.

    Of a value of 16 bits the upper eight count, as in Pillow.

    Raises:
        ValueError: The bytes are no such file, only the beginning of one, or hold several pictures.
    """
    if not encoded:
        raise ValueError("no bytes")
    # frombuffer warns about memory it may not write to, hence the copy.
    buffer = torch.frombuffer(bytearray(encoded), dtype=torch.uint8)
    with warnings.catch_warnings():
        # torchvision 0.29 announces that its decoders will move to torchcodec.
        warnings.filterwarnings("ignore", "The image decoding")
        try:
            image: Tensor = decode_image(buffer, ImageReadMode.RGB)
        except RuntimeError as error:
            raise ValueError(str(error)) from error
    if image.dtype == torch.uint16:
        # torch shifts no unsigned numbers of 16 bits.
        image = (image.to(torch.int32) >> 8).to(torch.uint8)
    _check_form(image)
    return image


def _check_form(image: Tensor) -> None:
    """Refuse whatever is not of the one form that everything behind the decoder relies on.

    Raises:
        ValueError: It is of another form; the message says of which.
    """
    if image.ndim == 4:
        raise ValueError(f"{len(image)} pictures in one file")
    if image.dtype != torch.uint8 or image.ndim != 3 or len(image) != 3:
        raise ValueError(
            f"{tuple(image.shape)} {image.dtype} where (3, height, width) uint8 is due"
        )


def decode_file(file: str) -> Tensor:
    """Return the image (3, H, W) uint8 in a file, as `decode_rgb`.

    Raises:
        DataError: The file is missing, cut short or no image; the message names it.
    """
    try:
        return decode_rgb(read_bytes(Path(file)))
    except (ValueError, OSError) as error:
        raise DataError(
            f"{file} is not a readable image: fetch it again, or give data.skip_corrupt=true ({error})"
        ) from error
