"""Section speed: milliseconds of a run's step, eager and as a graph, compiled or not (benchmarks floor)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import NamedTuple

from senet_repro.benchmarks.gpu_probe import Findings, Probe, Trained, train_run
from senet_repro.benchmarks.measurement import measure_in_turn, require_agreement

EPOCHS = 2
ROUNDS = 2
# Of the training losses of two ways, as a share: an epoch grows rounding into other weights of the same quality.
MOST_APART = 0.1
# A pair may need a compilation.
LEAST_S = 20.0

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
    (Way("eager, bf16", BF16), Way("eager, float32", FLOAT32)),
    (Way("graph, bf16", GRAPH), Way("eager, bf16", BF16)),
    (Way("compiled, bf16", COMPILED), Way("eager, bf16", BF16)),
    (Way("graph and compiled, bf16", GRAPH_COMPILED), Way("graph, bf16", GRAPH)),
    (Way("SE, graph, bf16", GRAPH), Way("plain, graph, bf16", (*GRAPH, PLAIN))),
)
"""The way that is measured, and its yardstick."""
# A compilation takes minutes on the CPU, where others try it.
QUICK_PAIRS = tuple(pair for pair in PAIRS if "trainer.compile=true" not in pair[0].settings)


def probe_speed(probe: Probe, findings: Findings) -> None:
    """Measure each way beside the one that it is to beat, in turn."""
    for ours, theirs in QUICK_PAIRS if probe.is_quick else PAIRS:
        name = f"{ours.name} / {theirs.name}"
        if probe.left_s < LEAST_S:
            findings.note(name, "no time was left")
            continue
        findings.attempt(name, partial(_measure_pair, findings, probe, ours, theirs))


def _measure_pair(findings: Findings, probe: Probe, ours: Way, theirs: Way) -> float:
    """Keep the measurement of a way beside its yardstick, and return the ratio.

    Raises:
        RuntimeError: they should train to the same loss, and do not.
    """
    losses: dict[str, float] = {}
    run = _train_once(probe, ours, losses).run
    _train_once(probe, theirs, losses)
    check = ""
    if not any(PLAIN in way.settings for way in (ours, theirs)):
        difference = abs(losses[ours.name] - losses[theirs.name]) / losses[theirs.name]
        check = require_agreement("losses of the last epoch", difference, MOST_APART)
    measured = measure_in_turn(
        _make_timer(probe, ours),
        _make_timer(probe, theirs),
        1 if probe.is_quick else ROUNDS,
        what=f"step of {run.model.name}, {run.data.train_px} px, batch {run.recipe.batch_size}, {ours.name}",
        yardstick=theirs.name,
        check=check,
    )
    findings.add_measurements([measured])
    return round(measured.ratio, 3)


def _make_timer(probe: Probe, way: Way) -> Callable[[], float]:
    return lambda: _train_once(probe, way, {}).step_ms


_numbers = count()


def _train_once(probe: Probe, way: Way, losses: dict[str, float]) -> Trained:
    """Train a run anew, and note the loss of its last epoch."""
    settings = probe.list_settings(f"recipe.epochs={EPOCHS}", *way.settings)
    trained = train_run(settings, probe.folder / f"{way.name}-{next(_numbers)}")
    losses[way.name] = trained.loss
    return trained
