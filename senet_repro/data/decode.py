"""Encoded images to tensors, in the one place that calls the decoder."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image


def decode_rgb(encoded: bytes) -> Tensor:
    """The image (3, H, W) uint8 in a JPEG or PNG file; grey ones are repeated over the channels.

    Raises:
        ValueError: The bytes are no such file, or only the beginning of one.
    """
    if not encoded:
        raise ValueError("no bytes")
    # frombuffer warns about memory it may not write to, hence the copy.
    buffer = torch.frombuffer(bytearray(encoded), dtype=torch.uint8)
    with warnings.catch_warnings():
        # torchvision 0.29 announces that its decoders will move to torchcodec.
        warnings.filterwarnings("ignore", "The image decoding", DeprecationWarning)
        try:
            image: Tensor = decode_image(buffer, ImageReadMode.RGB)
        except RuntimeError as error:
            raise ValueError(str(error)) from error
    return image
