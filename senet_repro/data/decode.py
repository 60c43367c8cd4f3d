"""Encoded images to tensors, in the one place that calls a decoder.

JPEG and PNG files are decoded by torchcodec where it is installed, and elsewhere by torchvision, whose decoders are to
go. Both have the same pixels, which `tests/data/test_decode.py` holds: both are libjpeg-turbo and libpng. A picture
stays as its pixels lie in the file, whatever orientation its EXIF data state.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image

from senet_repro.core.errors import DataError
from senet_repro.core.files import read_bytes
from senet_repro.data.picture_files import JPEG, PNG, check_png, hide_orientation


def decode_rgb(encoded: bytes) -> Tensor:
    """Return the image (3, H, W) uint8 in a JPEG or PNG file; grey ones are repeated over the channels.

    Of a value of 16 bits the upper eight count, as in Pillow.

    Raises:
        ValueError: The bytes are no such file, only the beginning of one, or hold several pictures.
    """
    if not encoded:
        raise ValueError("no bytes")
    try:
        image = _decode(bytearray(encoded))
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if image.dtype == torch.uint16:
        # torch shifts no unsigned numbers of 16 bits.
        image = (image.to(torch.int32) >> 8).to(torch.uint8)
    check_form(image)
    return image


def _decode(encoded: bytearray) -> Tensor:
    """Return what a file holds, in RGB; its bytes may be changed."""
    decode = find_torchcodec()
    # torchvision knows other forms too, of which some pictures are whose names promise JPEG or PNG.
    if decode is None or not encoded.startswith((JPEG, PNG)):
        return _decode_with_torchvision(encoded)
    hide_orientation(encoded)
    # Over memory that may be written to, or torch would warn.
    return decode(torch.frombuffer(encoded, dtype=torch.uint8))


@cache
def find_torchcodec() -> Callable[[Tensor], Tensor] | None:
    """Return torchcodec's decoder of encoded bytes (N,) uint8; None if it is not here or does not fit this torch."""
    try:
        from torchcodec.decoders import decode_image as decode
    except (ImportError, OSError, RuntimeError):
        return None
    # Otherwise 16 bits would be rounded to 8 in its own way.
    return partial(decode, mode="RGB", output_dtype="auto")


def _decode_with_torchvision(encoded: bytearray) -> Tensor:
    if encoded.startswith(PNG):
        # A damaged one ends the process with a segmentation fault.
        check_png(encoded)
    buffer = torch.frombuffer(encoded, dtype=torch.uint8)
    with warnings.catch_warnings():
        # torchvision 0.29 announces that its decoders will move to torchcodec.
        warnings.filterwarnings("ignore", "The image decoding")
        image: Tensor = decode_image(buffer, ImageReadMode.RGB)
    return image


def check_form(image: Tensor) -> None:
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
