"""Section speed: milliseconds of a run's step, eager and as a graph, compiled or not (benchmarks floor)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count
from typing import NamedTuple

from senet_repro.benchmarks.gpu_probe import Findings, Probe, train_run
from senet_repro.benchmarks.measurement import measure_in_turn, require_agreement
from senet_repro.config.composition import compose

EPOCHS = 2
ROUNDS = 2
# Of the training losses of two ways, as a share: an epoch grows rounding into other weights of the same quality.
MOST_APART = 0.1
# For the four trainings of a pair, and for those of which one compiles: what is begun later would be cut off.
LEAST_S = 55.0
LEAST_COMPILING_S = 75.0

FLOAT32 = ("trainer.precision=32-true",)
BF16 = ("trainer.precision=bf16-mixed",)
GRAPH = (*BF16, "trainer.graph=true")
COMPILED = (*BF16, "trainer.compile=true")
GRAPH_COMPILED = (*GRAPH, "trainer.compile=true")
PLAIN = "stages=none"


class Way(NamedTuple):
    """A way to train the same run."""

    name: str
    settings: tuple[str, ...]


PAIRS = (
    (Way("SE, graph, bf16", GRAPH), Way("plain, graph, bf16", (*GRAPH, PLAIN))),
    (Way("graph, bf16", GRAPH), Way("eager, bf16", BF16)),
    (Way("graph and compiled, bf16", GRAPH_COMPILED), Way("graph, bf16", GRAPH)),
    (Way("eager, bf16", BF16), Way("eager, float32", FLOAT32)),
    (Way("compiled, bf16", COMPILED), Way("eager, bf16", BF16)),
)
"""The way that is measured, and its yardstick; an eager training takes several times as long as one by a graph."""
# A compilation takes minutes on the CPU, where others try it.
QUICK_PAIRS = tuple(pair for pair in PAIRS if "trainer.compile=true" not in pair[0].settings)


def probe_speed(probe: Probe, findings: Findings) -> None:
    """Measure each way beside the one that it is to beat, in turn."""
    for ours, theirs in QUICK_PAIRS if probe.is_quick else PAIRS:
        name = f"{ours.name} / {theirs.name}"
        is_compiled = "trainer.compile=true" in ours.settings
        if probe.left_s < (LEAST_COMPILING_S if is_compiled else LEAST_S):
            findings.note(name, "no time was left")
            continue
        findings.attempt(name, partial(_measure_pair, findings, probe, ours, theirs))


def _measure_pair(findings: Findings, probe: Probe, ours: Way, theirs: Way) -> float:
    """Keep the measurement of a way beside its yardstick, and return the ratio.

    Raises:
        RuntimeError: they should train to the same loss, and do not.
    """
    run = compose(_list_settings(probe, ours))
    losses: dict[Way, float] = {}
    measured = measure_in_turn(
        partial(_time_step, probe, ours, losses),
        partial(_time_step, probe, theirs, losses),
        1 if probe.is_quick else ROUNDS,
        what=f"step of {run.model.name}, {run.data.train_px} px, batch {run.recipe.batch_size}, {ours.name}",
        yardstick=theirs.name,
    )
    # Of the trainings that were timed: others only for this would take half of the section's time.
    check = _compare_losses(losses[ours], losses[theirs]) if _train_alike(ours, theirs) else ""
    findings.add_measurements([replace(measured, check=check)])
    return round(measured.ratio, 3)


def _train_alike(ours: Way, theirs: Way) -> bool:
    """Return whether both ways train the same network."""
    return (PLAIN in ours.settings) == (PLAIN in theirs.settings)


def _compare_losses(ours: float, theirs: float) -> str:
    """Return in words how close two losses are.

    Raises:
        RuntimeError: they are too far apart.
    """
    difference = abs(ours - theirs) / theirs
    return require_agreement("losses of the last epoch", difference, MOST_APART)


def _list_settings(probe: Probe, way: Way) -> list[str]:
    return probe.list_settings(f"recipe.epochs={EPOCHS}", *way.settings)


_numbers = count()


def _time_step(probe: Probe, way: Way, losses: dict[Way, float]) -> float:
    """Train a run anew, note the loss of its last epoch, and return the milliseconds of a step in that epoch."""
    folder = probe.folder / f"{way.name}-{next(_numbers)}"
    trained = train_run(_list_settings(probe, way), folder)
    losses[way] = trained.loss
    return trained.step_ms
