"""Section decode: pictures per second of one core and of the GPU's own decoder (benchmarks floor)."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from senet_repro.benchmarks.gpu_probe import Findings, Probe
from senet_repro.benchmarks.measurement import measure_in_turn, require_agreement
from senet_repro.core.threads import cpu_threads
from senet_repro.data.decode import decode_rgb

PICTURES = 60
QUICK_PICTURES = 4
SUFFIXES = (".JPEG", ".jpeg", ".jpg")
# What ImageNet's have on average.
SYNTHETIC_SIZE = (470, 390)
BATCHES = (1, 4)
# Mean difference of a value: the decoders round, and widen the colours, in ways of their own.
MOST_APART = 4.0

DecodeOnDevice = Callable[[list[Tensor]], Sequence[Tensor]]


def probe_decode(probe: Probe, findings: Findings) -> None:
    """Decode JPEG files on one core and, in batches, on the device, whose pictures must be nearly the same."""
    encoded = _read_pictures(probe, findings)
    buffers = [torch.frombuffer(bytearray(each), dtype=torch.uint8) for each in encoded]
    with cpu_threads(1):
        on_core = partial(_decode_on_core, buffers)
        findings.note("core_images_per_s", round(_time_core(on_core, len(buffers))))
        if probe.device.type != "cuda":
            return
        decode = _find_decoder(probe.device)
        for batches in BATCHES:
            on_device = partial(decode, buffers * batches)
            findings.attempt(
                f"batch of {batches * len(buffers)}",
                partial(_measure_device, findings, on_device, on_core, batches * len(buffers)),
            )


def _read_pictures(probe: Probe, findings: Findings) -> list[bytes]:
    """Return JPEG files from below the data folder; synthetic ones where it has none."""
    most = QUICK_PICTURES if probe.is_quick else PICTURES
    files: list[Path] = []
    if probe.data_root is not None:
        below = sorted(Path(probe.data_root).rglob("*"))
        files = [file for file in below if file.suffix in SUFFIXES][:most]
    findings.note("pictures", "real" if files else "synthetic")
    if files:
        return [file.read_bytes() for file in files]
    return [_make_picture(seed) for seed in range(most)]


def _make_picture(seed: int) -> bytes:
    """Return a JPEG file of soft blobs and some noise, which costs a decoder about what a photograph does."""
    generator = torch.Generator().manual_seed(seed)
    width, height = SYNTHETIC_SIZE
    coarse = torch.rand(1, 3, height // 16, width // 16, generator=generator)
    soft = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    noisy = soft + 0.05 * torch.randn(soft.shape, generator=generator)
    pixels = (noisy.clamp(0, 1) * 255).to(torch.uint8)[0].permute(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "JPEG", quality=90)
    return file.getvalue()


def _decode_on_core(buffers: list[Tensor]) -> Sequence[Tensor]:
    # By the decoder that the product uses: torchcodec's where it is installed.
    return [decode_rgb(buffer.numpy().tobytes()) for buffer in buffers]


def _find_decoder(device: torch.device) -> DecodeOnDevice:
    """Return the decoder of `data.decode=gpu`.

    Raises:
        ConfigError: its library is not installed.
    """
    # Named in words, so that the other sections need it not.
    product = import_module("senet_repro.data.gpu_decode")
    decode: DecodeOnDevice = product.find_gpu_decoder(device)
    return decode


def _time_core(on_core: Callable[[], object], pictures: int) -> float:
    """Return the pictures per second of one core."""
    from torch.utils.benchmark import Timer

    seconds = Timer("on_core()", globals={"on_core": on_core}).timeit(2).median
    return pictures / seconds


def _time_device(on_device: Callable[[], object]) -> float:
    """Return the seconds of decoding on the device, by the host's clock: a decoder may have streams of its own."""
    on_device()
    torch.cuda.synchronize()
    started_s = time.perf_counter()
    on_device()
    torch.cuda.synchronize()
    return time.perf_counter() - started_s


def _measure_device(
    findings: Findings,
    on_device: Callable[[], Sequence[Tensor]],
    on_core: Callable[[], Sequence[Tensor]],
    count: int,
) -> float:
    """Set the device beside a core, and return its pictures per second.

    `on_device` decodes `count` pictures, of which the first are those that `on_core` decodes.
    """
    core = on_core()
    pairs = zip(on_device(), core, strict=False)
    differences = [(ours.cpu().float() - exact.float()).abs().mean() for ours, exact in pairs]
    difference = float(torch.stack(differences).max())
    measured = measure_in_turn(
        lambda: count / _time_device(on_device),
        lambda: _time_core(on_core, len(core)),
        3,
        what=f"decoding JPEG on the device, {count} at a time",
        yardstick="one core",
        unit="images/s",
        is_more_better=True,
        check=require_agreement("mean values of pictures", difference, MOST_APART),
    )
    findings.add_measurements([measured])
    return round(measured.ours)
