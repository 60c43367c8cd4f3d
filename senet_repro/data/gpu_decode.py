"""JPEG files decoded and cut on the GPU that trains (data floor), by nvJPEG: `data.decode=gpu`.

Its pixels are other ones than libjpeg-turbo's, by a grey level or so, and a run is known by them. Processes read the
files, and the process that trains decodes a batch of them in one call before its step, which waits. What nvJPEG does
not take, such as CMYK or a PNG, is decoded on the CPU, picture by picture. A file that is cut short may pass unnoticed:
`data.verify=true` looks at each by the decoder of the CPU.

This was rehearsed with the CPU in the GPU's place; on a GPU it has not run yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_bytes
from senet_repro.data.batches import Batch
from senet_repro.data.collate import allocate_bytes, collate_pictures
from senet_repro.data.crops import Transform
from senet_repro.data.decode import check_form, decode_file
from senet_repro.data.picture_files import count_components, hide_orientation

DecodeJpegs = Callable[[list[Tensor]], Sequence[Tensor]]
"""Takes the bytes (N,) uint8 of JPEG files, on the CPU, to images (3, H, W) uint8 on the GPU."""

# Grey and coloured ones; of CMYK nvJPEG makes no RGB.
_COMPONENTS = (1, 3)


class EncodedBatch(NamedTuple):
    """Files that one process read for another to decode."""

    encoded: Tensor  # their bytes, one file after the other, uint8
    lengths: list[int]  # of each file; 0: the CPU is to decode it
    indices: list[int]  # of each in the set
    seeds: list[int]  # of what is random about each
    labels: Tensor


def read_encoded(
    files: np.ndarray, indices: list[int], seeds: list[int], labels: Tensor
) -> EncodedBatch:
    """Return the files of a batch as they are, in memory that other processes can be given.

    Raises:
        NoSharedMemory: there is none left.
    """
    contents = [_read_jpeg(os.fsdecode(files[index])) for index in indices]
    lengths = [len(content) for content in contents]
    encoded = allocate_bytes(sum(lengths))
    for place, content in zip(torch.split(encoded, lengths), contents, strict=True):
        if content:
            place.copy_(torch.frombuffer(content, dtype=torch.uint8))
    return EncodedBatch(encoded, lengths, indices, seeds, labels)


def _read_jpeg(file: str) -> bytearray:
    """Return the bytes of a file that nvJPEG takes, and none of another or where it cannot be read."""
    try:
        content = bytearray(read_bytes(Path(file)))
    except OSError:
        # Whoever decodes it will say why.
        return bytearray()
    if count_components(content) not in _COMPONENTS:
        return bytearray()
    hide_orientation(content)
    return content


def find_gpu_decoder(device: torch.device) -> DecodeJpegs:
    """Return torchcodec's decoder on a GPU.

    torchvision's is none to fall back on: on an H100 it does not wait for the memory that it writes to.

    Raises:
        ConfigError: the device is no GPU, or torchcodec is not installed.
    """
    if device.type != "cuda":
        raise ConfigError(
            "data.decode=gpu: there is no GPU to decode on; give data.decode=cpu, which is a run of its own"
        )
    try:
        from torchcodec.decoders import decode_jpeg
    except (ImportError, OSError, RuntimeError) as error:
        raise ConfigError(
            "data.decode=gpu needs torchcodec 0.16 or later: pip install 'senet-repro[decode]', "
            f"or give data.decode=cpu ({error})"
        ) from error
    return partial(decode_jpeg, mode="RGB", device=device)


class GpuDecoder:
    """Decodes and cuts the pictures of a batch on a GPU."""

    def __init__(self, files: np.ndarray, transform: Transform, device: torch.device) -> None:
        """Take the set's files, and what is done to each picture.

        Raises:
            ConfigError: as for `find_gpu_decoder`.
        """
        self.files = files
        self.transform = transform
        self.device = device
        self._decode_jpegs = find_gpu_decoder(device)

    def finish_batch(self, batch: EncodedBatch) -> Batch:
        """Return images (B, 3, px, px) uint8 in channels_last memory on the GPU, and their labels (B,) on the CPU.

        Raises:
            DataError: a file cannot be read; the message names it.
        """
        pictures = self._decode_pictures(batch)
        cut = map(self.transform, pictures, batch.seeds)
        return collate_pictures(cut, len(batch.indices)), batch.labels

    def _decode_pictures(self, batch: EncodedBatch) -> Iterable[Tensor]:
        contents = torch.split(batch.encoded, batch.lengths)
        jpegs = [content for content in contents if len(content)]
        decoded = iter(self._decode_together(jpegs))
        for index, content in zip(batch.indices, contents, strict=True):
            picture = next(decoded) if len(content) else None
            if picture is None:
                picture = decode_file(os.fsdecode(self.files[index])).to(self.device)
            check_form(picture)
            yield picture

    def _decode_together(self, jpegs: list[Tensor]) -> Sequence[Tensor | None]:
        """Return the pictures of JPEG files, and None in the place of one that nvJPEG refuses."""
        if not jpegs:
            return []
        try:
            return self._decode_jpegs(jpegs)
        except RuntimeError:
            # It does not say which one it refused.
            return [self._decode_alone(jpeg) for jpeg in jpegs]

    def _decode_alone(self, jpeg: Tensor) -> Tensor | None:
        try:
            return self._decode_jpegs([jpeg])[0]
        except RuntimeError:
            return None
