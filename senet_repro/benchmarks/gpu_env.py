"""Section env: the device, its libraries, and what it moves and multiplies in a second (benchmarks floor)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import torch

from senet_repro.benchmarks.gpu_probe import Findings, Probe
from senet_repro.benchmarks.machine import describe_machine
from senet_repro.benchmarks.table_runs import list_table_runs

# Where a container has the driver's own programs, beside PATH.
DRIVER_FOLDER = Path("/usr/local/nvidia")
MPS_PROGRAM = "nvidia-cuda-mps-control"
COPIED_FLOATS = 1 << 28
MATRIX_SIDE = 8192
# Imported by the product on its way through a campaign; a machine without registry may lack one.
LIBRARIES = ("hydra_plugins.hydra_joblib_launcher", "fvcore", "timm", "pyarrow", "torchcodec")


def probe_env(probe: Probe, findings: Findings) -> None:
    """Find out what the machine is; the figures of the device tell whether it is the expected one, and free."""
    findings.note("machine", describe_machine())
    findings.note("mps_control", find_mps_control())
    findings.note("installed", {name: _is_installed(name) for name in LIBRARIES})
    findings.attempt("table_runs", lambda: len(list(list_table_runs(["protocol=cifar10"]))))
    if probe.device.type != "cuda":
        return
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    findings.note("cudnn", cudnn)
    # As torch has them before this project sets anything.
    findings.note("tf32_convolutions", torch.backends.cudnn.allow_tf32)
    findings.note("tf32_products", torch.backends.cuda.matmul.allow_tf32)
    findings.attempt("copy_tb_per_s", _measure_copies)
    findings.attempt("bf16_product_tflop_per_s", _measure_products)


def find_mps_control() -> str | None:
    """Return the program that starts MPS, by which processes share a GPU at the same moment; None without it."""
    found = shutil.which(MPS_PROGRAM)
    if found is None and DRIVER_FOLDER.is_dir():
        found = next(map(str, DRIVER_FOLDER.rglob(MPS_PROGRAM)), None)
    return found


def time_on_device(do_once: Callable[[], object], rounds: int = 10) -> float:
    """Return the median milliseconds of something on the current GPU, by its own clock, warmed up."""
    for _ in range(3):
        do_once()
    pairs = []
    for _ in range(rounds):
        start = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        start.record()
        do_once()
        end.record()
        pairs.append((start, end))
    # The events have their times once the device has come to them.
    torch.cuda.synchronize()
    times: list[float] = [start.elapsed_time(end) for start, end in pairs]
    return median(times)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    # Of a module whose package is not there.
    except ModuleNotFoundError:
        return False


def _measure_copies() -> float:
    """Return the terabytes per second that the device reads and writes."""
    source = torch.randn(COPIED_FLOATS, device="cuda")
    target = torch.empty_like(source)
    moved_bytes = 2 * source.numel() * source.element_size()
    return round(moved_bytes / time_on_device(lambda: target.copy_(source)) / 1e9, 2)


def _measure_products() -> float:
    """Return the 10^12 operations per second of a product of square matrices in bf16."""
    matrix = torch.randn(MATRIX_SIDE, MATRIX_SIDE, device="cuda", dtype=torch.bfloat16)
    operations = 2 * MATRIX_SIDE**3
    return round(operations / time_on_device(lambda: matrix @ matrix) / 1e9)
