"""Section correct: every network of the tables on the device against float64 on the CPU (benchmarks floor)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from senet_repro.benchmarks.gpu_probe import Findings, Probe, measure_distance
from senet_repro.benchmarks.table_runs import list_table_runs
from senet_repro.config.composition import compose
from senet_repro.config.identity import run_name
from senet_repro.config.schema import Run
from senet_repro.training.fit import build_network

IMAGES = 32
SIDE_PX = 32
CLASSES = 10
# Of a rehearsal: enough to see that the section works.
QUICK_RUNS = 2
QUICK_IMAGES = 4


class Mode(NamedTuple):
    """A way to compute on the device, and how many times as far from float64 it may be as a way of the CPU.

    How far rounding leads is a matter of the network: a ReLU whose input is 0 but for rounding may fall either way.
    On a CPU the gradients of single networks are 2 % from float64 in float32, and all of their length in bf16.
    """

    allows_tf32: bool
    uses_bf16: bool
    is_beside_bf16: bool  # of the CPU; else beside its float32
    most_times: float


MODES = {
    # Convolutions by fewer products round more coarsely. In TF32 it would be 200 times as far.
    "float32": Mode(False, False, is_beside_bf16=False, most_times=20.0),
    # Which no CPU has: its products have three bits more than those of bf16, and a third of the distance.
    "tf32": Mode(True, False, is_beside_bf16=True, most_times=1.0),
    "bf16": Mode(True, True, is_beside_bf16=True, most_times=2.5),
}


class Results(NamedTuple):
    """Both in float64 on the CPU."""

    logits: Tensor  # (B, classes)
    gradients: Tensor  # of all parameters, as one vector


class Distances(NamedTuple):
    """How far results are from float64, each as a share of the exact values' length."""

    logits: float
    gradients: float


def probe_correct(probe: Probe, findings: Findings) -> None:
    """Compare logits and gradients of one batch, and name the gradients that are not channels_last."""
    network = ["model=resnet11"] if probe.is_quick else []
    all_runs = list_table_runs(["protocol=cifar10", *network])
    runs = list(islice(all_runs, QUICK_RUNS if probe.is_quick else None))
    images, labels = _make_batch(QUICK_IMAGES if probe.is_quick else IMAGES)
    worst: dict[str, dict[str, Any]] = {}
    strays: dict[str, list[str]] = {}
    for overrides in runs:
        run = compose([*overrides, *probe.overrides])
        exact = _compute(build_network(run).double(), images.double(), labels)
        on_cpu = {
            uses_bf16: _measure_distances(
                _compute(build_network(run), images, labels, uses_bf16), exact
            )
            for uses_bf16 in (False, True)
        }
        for name, mode in MODES.items():
            found = _compute_on_device(run, probe.device, images, labels, mode)
            distances = _measure_distances(found, exact)
            _keep_worst(worst, name, run_name(run), distances, on_cpu[mode.is_beside_bf16])
        stray = _list_stray_gradients(run, probe.device, images, labels)
        if stray:
            strays[run_name(run)] = stray
        findings.note("furthest_from_float64", worst)
        findings.note("gradients_not_channels_last", strays)
    findings.note("networks", len(runs))
    for name, mode in MODES.items():
        _judge_distances(findings, name, mode, worst[name])


def _make_batch(count: int) -> tuple[Tensor, Tensor]:
    """Return random normalised images, channels_last, and labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 3, SIDE_PX, SIDE_PX, generator=generator)
    labels = torch.randint(CLASSES, (count,), generator=generator)
    return images.contiguous(memory_format=torch.channels_last), labels


def _compute(net: nn.Module, images: Tensor, labels: Tensor, uses_bf16: bool = False) -> Results:
    """Return the logits of a network in training, and the gradients of its mean loss."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=uses_bf16):
        logits = net(images)
        loss = F.cross_entropy(logits, labels)
    gradients = torch.autograd.grad(loss, list(net.parameters()))
    flat = [gradient.double().flatten().cpu() for gradient in gradients]
    return Results(logits.detach().double().cpu(), torch.cat(flat))


def _compute_on_device(
    run: Run, device: torch.device, images: Tensor, labels: Tensor, mode: Mode
) -> Results:
    net = build_network(run).to(device)
    with _choose_tf32(mode.allows_tf32):
        return _compute(net, images.to(device), labels.to(device), mode.uses_bf16)


@contextmanager
def _choose_tf32(is_allowed: bool) -> Iterator[None]:
    """Let the products and convolutions of a GPU round to TF32, or not, and as before once the context ends."""
    libraries: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]
    before = [library.allow_tf32 for library in libraries]
    for library in libraries:
        library.allow_tf32 = is_allowed
    try:
        yield
    finally:
        for library, was_allowed in zip(libraries, before, strict=True):
            library.allow_tf32 = was_allowed


def _measure_distances(found: Results, exact: Results) -> Distances:
    return Distances(
        logits=measure_distance(found.logits, exact.logits),
        gradients=measure_distance(found.gradients, exact.gradients),
    )


def _keep_worst(
    worst: dict[str, dict[str, Any]],
    mode: str,
    network: str,
    distances: Distances,
    on_cpu: Distances,
) -> None:
    """Keep of logits and of gradients what is the most times as far as on the CPU, with the network that it is of."""
    kept = worst.setdefault(mode, {})
    for what, distance in distances._asdict().items():
        times = distance / getattr(on_cpu, what)
        # One that is no number is the worst of all.
        is_worst = what in kept and math.isnan(kept[what]["times"])
        if what not in kept or not (is_worst or times <= kept[what]["times"]):
            kept[what] = {"network": network, "distance": distance, "times": times}


def _judge_distances(
    findings: Findings, name: str, mode: Mode, worst: dict[str, dict[str, Any]]
) -> None:
    """Note a fault for what is further from float64 than its mode explains."""
    way = "bf16" if mode.is_beside_bf16 else "float32"
    for what, kept in worst.items():
        if not kept["times"] <= mode.most_times:
            findings.note_fault(
                f"{what} in {name} of {kept['network']}: {kept['distance']:.2g} from float64, {kept['times']:.2g} "
                f"times as far as in {way} on the CPU, more than {mode.most_times:g}"
            )


def _list_stray_gradients(
    run: Run, device: torch.device, images: Tensor, labels: Tensor
) -> list[str]:
    """Return the layers whose output receives a gradient in another layout than channels_last.

    Each costs a copy in the layer below it. Maximum pooling of a GPU is said to be one.
    """
    net = build_network(run).to(device)
    stray: list[str] = []
    for name, layer in net.named_modules():
        if not list(layer.children()):
            _watch_gradient(layer, name, stray)
    loss: Tensor = F.cross_entropy(net(images.to(device)), labels.to(device))
    loss.backward()  # type: ignore[no-untyped-call]
    return stray


def _watch_gradient(layer: nn.Module, name: str, stray: list[str]) -> None:
    """Let a layer's name be added to `stray` where its output receives such a gradient."""

    def look_at_layout(gradient: Tensor) -> None:
        if not gradient.is_contiguous(memory_format=torch.channels_last):
            stray.append(name)

    def watch_output(_layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        # A map of one pixel is in every layout at once.
        is_map = output.dim() == 4 and output.shape[2] > 1
        if is_map and output.requires_grad:
            output.register_hook(look_at_layout)  # type: ignore[no-untyped-call]

    layer.register_forward_hook(watch_output)
