"""Section steps: a few training steps on the device against the CPU, and each way against another (benchmarks floor).

All by the product's own `fit`, in an epoch of eleven steps on the embedded digits. Steps are small and few, since
rounding grows: at the digits' own rate two ways of the CPU part by as much as two rates do that are a tenth apart. What
is compared is how far the steps have moved the weights, and not where they stand, which is mostly where they began.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from senet_repro.benchmarks.gpu_probe import (
    Findings,
    Probe,
    Trained,
    measure_distance,
    train_run,
)

PRECISIONS = ("32-true", "bf16-mixed")
SMALL_STEPS = "recipe.lr=0.0003"
# Between device and CPU in float32 without TF32, as a share of the CPU's way. On a CPU it is 0.012 between two kinds of
# convolutions, 0.11 between rates a tenth apart, and 1.7 between two seeds.
MOST_FROM_CPU = 1e-1
# Between ways on the device, beyond what two equal runs show: a graph rounds the rate to float32. A rate that is
# another one by a millionth makes 0.0005 in float32 and 0.025 in bf16.
MOST_TIMES_NOISE = 10.0
LEAST_NOISE = {"32-true": 1e-2, "bf16-mixed": 1e-1}

Train = Callable[..., Trained]


def probe_steps(probe: Probe, findings: Findings) -> None:
    """Compare the ways of the weights in the epoch: device and CPU, equal runs, graph and eager, deterministic runs."""
    train = partial(_train_epoch, probe)
    findings.attempt("device_and_cpu", lambda: _compare_with_cpu(findings, train))
    for precision in PRECISIONS:
        noise = findings.attempt(
            f"eager_twice {precision}", partial(_compare_twice, train, precision)
        )
        if noise is None:
            continue
        allowed = max(LEAST_NOISE[precision], MOST_TIMES_NOISE * noise["moved"])
        graph = partial(_compare_graph, findings, train, precision, allowed)
        findings.attempt(f"graph_and_eager {precision}", graph)
    deterministic = partial(_compare_twice, train, "bf16-mixed", "trainer.deterministic=true")
    found = findings.attempt("deterministic_twice bf16-mixed", deterministic)
    if found is not None and not found["are_same_bits"]:
        findings.note_fault("trainer.deterministic=true: two equal runs have other bits")


def _train_epoch(probe: Probe, name: str, *own: str) -> Trained:
    """Train one epoch of the small run with its own settings last."""
    settings = probe.list_small_settings("recipe.epochs=1", SMALL_STEPS, *own)
    folder = probe.folder / name
    # Each run begins anew: nothing of an earlier one of this name may be gone on from.
    return train_run(settings, folder / str(len(list(folder.glob("*")))))


def _compare_with_cpu(findings: Findings, train: Train) -> dict[str, Any]:
    cpu = train("cpu", "trainer.accelerator=cpu")
    device = train("device")
    found = _describe_distance(device, cpu)
    if not found["moved"] <= MOST_FROM_CPU:
        findings.note_fault(
            f"float32 on the device is {found['moved']:.2g} from the CPU, more than {MOST_FROM_CPU:g}"
        )
    return found


def _compare_twice(train: Train, precision: str, *own: str) -> dict[str, Any]:
    first, second = (train("twice", f"trainer.precision={precision}", *own) for _ in range(2))
    return _describe_distance(second, first)


def _compare_graph(
    findings: Findings, train: Train, precision: str, allowed: float
) -> dict[str, Any]:
    eager = train("eager", f"trainer.precision={precision}")
    graph = train("graph", f"trainer.precision={precision}", "trainer.graph=true")
    found = _describe_distance(graph, eager)
    if not found["moved"] <= allowed:
        findings.note_fault(
            f"trainer.graph=true in {precision} is {found['moved']:.2g} from eager steps, more than {allowed:.2g}"
        )
    return found


def _describe_distance(ours: Trained, theirs: Trained) -> dict[str, Any]:
    return {
        "moved": measure_distance(ours.moved, theirs.moved),
        "are_same_bits": bool((ours.weights == theirs.weights).all()),
        "losses": [theirs.loss, ours.loss],
    }
