"""Whatever a picture's file holds, readers get (3, H, W) uint8 with Pillow's pixels, or an error that names it."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from senet_repro.config.schema import Data
from senet_repro.core.errors import DataError
from senet_repro.data import decode
from senet_repro.data.cifar import load_cifar
from senet_repro.data.decode import decode_file, decode_rgb
from senet_repro.data.folder import load_folders
from senet_repro.data.picture_files import count_components, hide_orientation
from senet_repro.data.verify import find_corrupt_files

SAMPLE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "imagenet-sample"
PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
CHANNELS = {"grey": (0, 1), "RGB": (2, 3), "grey, alpha": (4, 2), "RGBA": (6, 4)}
"""The kinds of PNG with 16 bits: their number in the file's head, and how many channels they have."""


@pytest.fixture(autouse=True, params=["torchvision", "torchcodec"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Decode by each of the libraries in turn, the second where it is installed."""
    name = str(request.param)
    if name == "torchvision":
        monkeypatch.setattr(decode, "find_torchcodec", lambda: None)
    elif decode.find_torchcodec() is None:
        pytest.skip("torchcodec is not installed")
    return name


def write_png_16(kind: str, values: np.ndarray) -> bytes:
    """A PNG of 16 bits; Pillow writes none with more than one channel."""
    colour, channels = CHANNELS[kind]
    picked = (
        values[..., :channels] if channels < 4 else np.concatenate([values, values[..., :1]], 2)
    )
    height, width, _ = picked.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in picked)
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    encoded = b"\x89PNG\r\n\x1a\n"
    for name, content in chunks:
        check = struct.pack(">I", zlib.crc32(name + content))
        encoded += struct.pack(">I", len(content)) + name + content + check
    return encoded


def save(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, file_format, **options)  # type: ignore[arg-type]
    return file.getvalue()


def read_with_pillow(encoded: bytes) -> Tensor:
    image = Image.open(BytesIO(encoded)).convert("RGB")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


@pytest.mark.parametrize("kind", CHANNELS)
@pytest.mark.parametrize("factor", [257, 256])
def test_of_16_bits_the_upper_eight_count(kind: str, factor: int) -> None:
    image = decode_rgb(write_png_16(kind, PIXELS.astype(np.int64) * factor))
    shown = PIXELS[..., [0, 0, 0]] if kind.startswith("grey") else PIXELS
    assert image.dtype == torch.uint8
    assert torch.equal(image, torch.from_numpy(shown).permute(2, 0, 1))


def test_colours_of_16_bits_are_those_of_pillow() -> None:
    values = np.random.default_rng(1).integers(0, 65536, (32, 32, 3))
    encoded = write_png_16("RGB", values)
    assert torch.equal(decode_rgb(encoded), read_with_pillow(encoded))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_has_the_pixels_of_pillow(mode: str) -> None:
    image = Image.fromarray(PIXELS).convert("RGB").convert(mode)
    encoded = save(image, "JPEG" if mode == "CMYK" else "PNG")
    decoded = decode_rgb(encoded)
    assert (decoded.dtype, decoded.shape) == (torch.uint8, (3, 32, 32))
    difference = decoded.int() - read_with_pillow(encoded).int()
    assert difference.abs().max() <= 1


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_picture_is_not_turned_by_its_exif_data(file_format: str) -> None:
    image = Image.fromarray(PIXELS[:16])
    exif = Image.Exif()
    # 6: the picture is to be shown after a quarter turn.
    exif[0x0112] = 6
    turned = save(image, file_format, exif=exif)
    assert len(turned) > len(save(image, file_format))
    assert torch.equal(decode_rgb(turned), decode_rgb(save(image, file_format)))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_only_the_exif_data_are_taken_out(file_format: str) -> None:
    image, exif = Image.fromarray(PIXELS), Image.Exif()
    exif[0x0112] = 3
    options = {"dpi": (300, 300)} if file_format == "PNG" else {"comment": b"\xff\xe1 a remark"}
    encoded = bytearray(save(image, file_format, exif=exif, **options))
    hide_orientation(encoded)
    assert bytes(encoded) == save(image, file_format, **options)


@pytest.mark.parametrize(("mode", "components"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
def test_the_components_of_a_jpeg_are_counted(mode: str, components: int) -> None:
    image = Image.fromarray(PIXELS).convert("RGB").convert(mode)
    for options in ({}, {"progressive": True}):
        assert count_components(save(image, "JPEG", **options)) == components
    assert count_components(save(Image.fromarray(PIXELS), "PNG")) is None


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [3, 9, 20, 40, 200, -100])
def test_a_file_that_is_cut_short_is_refused(file_format: str, kept: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_rgb(save(Image.fromarray(PIXELS), file_format)[:kept])


def test_a_damaged_png_is_refused_and_does_not_end_the_process() -> None:
    encoded = bytearray(save(Image.fromarray(PIXELS), "PNG"))
    encoded[len(encoded) // 2] ^= 0xFF
    with pytest.raises(ValueError, match="IDAT"):
        decode_rgb(bytes(encoded))


@pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"no ImageNet pictures in {SAMPLE}")
def test_both_libraries_have_the_same_pixels(decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if decoder == "torchvision":
        pytest.skip("compared in the other's turn")
    files = sorted(map(str, SAMPLE.rglob("*.JPEG")))
    found = [decode_file(file) for file in files]
    monkeypatch.setattr(decode, "find_torchcodec", lambda: None)
    assert all(
        torch.equal(decode_file(file), image) for file, image in zip(files, found, strict=True)
    )


def animate() -> bytes:
    frames = [Image.fromarray(PIXELS), Image.fromarray(PIXELS[::-1].copy())]
    return save(frames[0], "GIF", save_all=True, append_images=frames[1:])


def save_floats() -> bytes:
    return save(Image.fromarray(PIXELS[..., 0].astype(np.float32)), "TIFF")


@pytest.mark.parametrize("write", [animate, save_floats])
def test_other_forms_are_refused_by_name_and_counted(
    write: Callable[[], bytes], image_root: Path, make_data: Callable[..., Data]
) -> None:
    file = image_root / "train" / "n01" / "1.JPEG"
    file.write_bytes(write())
    with pytest.raises(DataError, match=f"{file} is not a readable image"):
        decode.decode_file(str(file))
    files = load_folders(make_data("imagenet", root=str(image_root)))
    assert find_corrupt_files(files, 0, image_root / "cache", lambda: None) == [str(file)]


@pytest.mark.parametrize(
    "form",
    [
        torch.zeros(3, 4, 4, dtype=torch.float32),
        torch.zeros(4, 4, dtype=torch.uint8),
        torch.zeros(1, 4, 4, dtype=torch.uint8),
    ],
)
def test_no_other_form_gets_past_the_decoder(form: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_decode", lambda _: form)
    with pytest.raises(ValueError, match=r"where \(3, height, width\) uint8 is due"):
        decode_rgb(b"bytes")


def test_a_table_of_pictures_is_read_by_the_same_rule(
    tmp_path: Path, png: Callable[..., bytes], write_parquet: Callable[..., None]
) -> None:
    deep = write_png_16("RGB", PIXELS.astype(np.int64) * 257)
    write_parquet(tmp_path / "train-0.parquet", [png(0), deep], [0, 1])
    write_parquet(tmp_path / "test-0.parquet", [animate()], [0])
    with pytest.raises(DataError, match=r"test-0\.parquet, row 0: .*2 pictures in one file"):
        load_cifar("cifar10", str(tmp_path), download=False)
    write_parquet(tmp_path / "test-0.parquet", [deep], [0])
    split = load_cifar("cifar10", str(tmp_path), download=False)
    assert torch.equal(split.train.images[1], torch.from_numpy(PIXELS).permute(2, 0, 1))


def test_a_link_to_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "picture.png").symlink_to("pipe")
    with pytest.raises(DataError, match="Not a regular file"):
        decode_file(str(tmp_path / "picture.png"))
